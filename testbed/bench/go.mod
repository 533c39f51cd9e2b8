module github.com/filchsched/filch/testbed/bench

go 1.26.0

replace github.com/filchsched/filch => ../..

require (
	github.com/alitto/pond/v2 v2.7.1
	github.com/filchsched/filch v0.0.0-00010101000000-000000000000
	github.com/klauspost/cpuid/v2 v2.4.2
	github.com/panjf2000/ants/v2 v2.12.1
)

require (
	github.com/aclements/go-moremath v0.0.0-20210112150236-f10218a38794 // indirect
	golang.org/x/perf v0.0.0-20260908200009-22c9c6c9d4da // indirect
	golang.org/x/sync v0.23.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
)

tool golang.org/x/perf/cmd/benchstat
