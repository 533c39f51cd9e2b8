# POSIX make. Every target works from a fresh clone; `make` alone lists them.
GO       ?= go
FUZZTIME ?= 10m
PREFIX   ?= /usr/local
SEEDS    ?= 10000
ROUNDS   ?= 50
SEED     ?= 1
FROM     ?= 1
NODES    ?= 1000
RACKS    ?= 3
PERRACK  ?= 3

.POSIX:
.PHONY: help build install test race lint fuzz fuzz-short plant sim scale gossip-sim cover bench peers rates real entitled uts netns chaos racks decide compare compare-quick wan testbed testbed-down testbed-demo compose-chaos compose-planted ci clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-13s %s\n", $$1, $$2 }' Makefile

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

sim: ## SEEDS (10000) clusters in virtual time, broken by seed; go on at FROM
	$(GO) test ./testbed/sim -count=1 -timeout 0 -v -run "TestSimulation|TestThemes" -seeds $(SEEDS) -from $(FROM)

scale: ## NODES (1000) nodes in virtual time, a million tasks on one of them at first (minutes); CASE: bag-1s, bag-50ms, tree-1s, tree-50ms
	GOGC=300 $(GO) test ./testbed/sim -count=1 -timeout 0 -v -run "TestScale|TestNearStealsFirst|TestShares" -nodes $(NODES) -case "$(CASE)"

plant: ## each planted fault must be found by its test (test plants one in eight)
	FILCH_PLANT=1 $(GO) test -count=1 -v -timeout 30m ./testbed/plant/

gossip-sim: ## the cluster's simulations at full size, 20 seeds (half an hour of two cores)
	GOSSIP_SIM=1 GOGC=300 $(GO) test -count=1 -v -timeout 2h -run TestSim ./gossip

cover: ## coverage of the tests, in bin/cover.html
	mkdir -p bin
	$(GO) test -coverprofile=bin/cover.out ./...
	$(GO) tool cover -html=bin/cover.out -o bin/cover.html
	$(GO) tool cover -func=bin/cover.out | tail -n 1

peers: ## stealing between two real nodes, on loopback and over a line of 10 ms (root)
	cd testbed/bench && $(GO) build -o bin/peers ./peers && bin/peers && bin/peers -delay 10ms -only spin,first

bench: ## filch beside its rivals in one run, as ratios (some minutes)
	cd testbed/bench && $(GO) run .

compare: ## filch beside xargs, GNU parallel, dask, oneTBB, goroutine pools: writes the comparison in docs/benchmarks.md (some ten minutes)
	cd testbed/bench && $(GO) run . -only compare -rounds 5 -tasks 2000000 -docs ../../docs/benchmarks.md -plot ../../docs/comparison.svg

compare-quick: ## whether all contests of compare run; measures nothing (a minute)
	cd testbed/bench && $(GO) run . -only compare -quick

rates: ## how fast commands start, beside xargs -P and GNU parallel (some minutes)
	testbed/rates.sh

real: ## checksum and compress a real tree, beside a sequential run and xargs -P
	testbed/real.sh

entitled: ## a job comes beside commands that hold all cores: its wait and its share of the CPU
	$(GO) run ./testbed/entitled

uts: ## UTS T1, T3 and T1L over 1, 2 and 4 nodes, exact, also when nodes are killed and added (minutes)
	$(GO) test ./examples/uts -count=1 -timeout 0 -v -run TestTheCountIsExact -long

netns: ## 20 nodes in network namespaces, with what can happen to them (root; some minutes)
	FILCH_NETNS=20 $(GO) test -count=1 -v -timeout 12m ./testbed/netns

wan: ## two sites of real nodes over a long line: delay, loss, a rate, address translation, no UDP (root; some minutes)
	FILCH_WAN=full $(GO) test -count=1 -v -timeout 30m ./testbed/wan/...

chaos: ## ROUNDS (50) rounds of kill -9, freezes and partitions against real nodes at work, from SEED on: with commands, and with functions, too (root)
	FILCH_CHAOS=$(ROUNDS) FILCH_CHAOS_SEED=$(SEED) $(GO) test -count=1 -v -timeout 0 ./testbed/chaos

racks: ## real nodes in three racks: what crosses racks, and who waits for whom (root; some minutes)
	FILCH_RACKS=3 $(GO) test -count=1 -v -timeout 0 ./testbed/racks

decide: ## Decide in worlds that drift: how often right, regret, beside simple rules; where it breaks
	$(GO) test ./testbed/decide -count=1 -v
testbed: build ## RACKS (3) racks of PERRACK (3) nodes in containers, and leave them running; testbed-down removes them (Docker)
	bin/filch testbed up --racks $(RACKS) --nodes $(PERRACK) --dir bin/testbed

testbed-down: ## end what testbed started
	bin/filch testbed down --dir bin/testbed

testbed-demo: build ## real work over a testbed of containers, what ran where, and a picture, in bin/demo (Docker, busybox-static)
	mkdir -p bin/demo/bin && cp bin/filch bin/demo/bin/
	for e in uts mandelbrot; do test ! -d examples/$$e || CGO_ENABLED=0 $(GO) build -trimpath -o bin/demo/bin/ ./examples/$$e || exit 1; done
	$(GO) build -o bin/demo/demo ./testbed/demo
	bin/demo/demo -bin bin/demo/bin -out bin/demo

compose-chaos: ## ROUNDS (50) rounds of faults against nodes in containers, from SEED on; the report is bin/compose-chaos.txt (Docker, busybox-static)
	mkdir -p bin
	FILCH_COMPOSE=$(ROUNDS) FILCH_COMPOSE_SEED=$(SEED) FILCH_COMPOSE_REPORT="$$PWD"/bin/compose-chaos.txt $(GO) test -count=1 -v -timeout 0 -run 'TestChaos$$' ./testbed/compose

compose-planted: ## builds with faults must fail such rounds (Docker, busybox-static; some minutes)
	FILCH_COMPOSE_PLANTED=1 $(GO) test -count=1 -v -timeout 0 -run TestPlanted ./testbed/compose

ci: ## what every change has to pass
	.ci/run

clean: ## remove what these targets made
	rm -rf bin
