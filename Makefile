# POSIX make. Every target works from a fresh clone; `make` alone lists them.
GO       ?= go
FUZZTIME ?= 10m
PREFIX   ?= /usr/local

.POSIX:
.PHONY: help build install test race lint fuzz fuzz-short plant cover bench real ci clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' Makefile

build: ## bin/filch, static
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/filch ./cmd/filch

install: build ## copy bin/filch to $(PREFIX)/bin
	mkdir -p $(DESTDIR)$(PREFIX)/bin
	cp bin/filch $(DESTDIR)$(PREFIX)/bin/filch

test: ## all tests, and every interleaving of deque, parking and presence
	$(GO) test ./...
	$(GO) test -tags stepper ./exec/deque/... ./exec/park/... ./exec/stepper/...

race: ## all tests under the race detector (needs a C compiler)
	$(GO) test -race ./...

lint: ## gofmt, vet and staticcheck, for every build tag and system
	.ci/lint

fuzz: ## every fuzz target for FUZZTIME (10m) each
	.ci/fuzz $(FUZZTIME)

fuzz-short: ## every fuzz target for ten seconds
	.ci/fuzz 10s

plant: ## each planted fault must be found by its test (part of test, too)
	$(GO) test -count=1 -v ./testbed/plant/

cover: ## coverage of the tests, in bin/cover.html
	mkdir -p bin
	$(GO) test -coverprofile=bin/cover.out ./...
	$(GO) tool cover -html=bin/cover.out -o bin/cover.html
	$(GO) tool cover -func=bin/cover.out | tail -n 1

bench: ## filch beside its rivals in one run, as ratios (some minutes)
	cd testbed/bench && $(GO) run .

real: ## checksum and compress a real tree, beside a sequential run and xargs -P
	testbed/real.sh

ci: ## what every change has to pass
	.ci/run

clean: ## remove what these targets made
	rm -rf bin
