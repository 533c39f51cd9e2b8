// Command peers measures stealing between real processes on loopback: two nodes of one worker
// each, on a CPU of its own, with a line between them that delays if asked for. docs/benchmarks.md says what the figures mean.
//
//	go run ./peers [-only calls,job,echo,spin,first] [-rounds 7] [-delay 10ms]
//
// The processes are this program again; the parent only asks and compares. Sides of a comparison
// alternate within each round, and what is reported are medians with the range of the rounds.
package main
