// Bench sets filch beside its rivals, side by side in one run, and prints
// ratios. It is a module of its own, so that rivals are not dependencies of
// filch. docs/benchmarks.md says how to run it and how to read it.
//
// # What makes a comparison fair here
//
//   - Contenders alternate. A round lets each contender run once, rotating who
//     goes first; a slow minute of the machine hits all of them. The first
//     round warms up and is dropped. Medians are over rounds.
//   - Every contender gets the same processors: GOMAXPROCS is the number of
//     workers for all of them, and the C++ rival gets as many threads.
//   - Every contender starts each round from scratch: its own pool or engine,
//     made outside the measured region, so that one contender's heap or
//     parked goroutines do not weigh on the next.
//   - Every measured region is preceded by a garbage collection, and pays for
//     the collections that its own garbage causes.
//   - A region shorter than clockBudget is repeated within the round, and the
//     round counts the median of the laps. The C++ rival follows the same rule
//     inside its own process, so process start is never measured.
//   - Rivals run in the configuration that was fastest when several were tried,
//     and the table says which.
//   - What is compared is the same program. A rewrite that gives a rival less
//     to do (chunks made by hand) is a row of its own and is marked so.
//
// # What can fail
//
// Results are checked, times are not. The dropped first round runs each
// submission contest with a task that tallies its arguments; fork-join and tree
// search check every value. A wrong result ends the program with a non-zero
// status; a slow one never does, since a shared machine proves nothing by a
// threshold. Goals are printed as met or missed, for people.
//
// # Files
//
// contest.go has the vocabulary, clock.go the measuring, rounds.go the
// alternation, stats.go, machine.go, report.go and goals.go the figures. Each
// contest has a file (fib.go, submit.go, bulk.go, uts.go, allocs.go), rivals
// theirs (goroutines.go, ants.go, pond.go, channel.go, tbb.go), and filch_*.go what filch
// enters. commands.go and cluster.go have the contests between whole programs, tools.go finds and builds these; publish.go and
// draw.go make the comparison in docs/benchmarks.md of them. floors_test.go measures what the machine charges for an atomic store or a
// channel hand-off, to set all figures in proportion.
package main
