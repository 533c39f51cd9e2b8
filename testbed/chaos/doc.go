// Package chaos breaks a cluster of real processes while it works, and checks that every task
// still ended in exactly one outcome, the right one. "make chaos" does ROUNDS rounds from SEED on;
// FILCH_CHAOS=n does n. It needs Linux, root, ip and iptables, and says so where it is skipped.
//
// # A round
//
// Three nodes, each in a network namespace of its own, all with the same files. From one of
// them a job of commands starts (filch run, a guest of that node); in every round of
// TestChaosFunctions another one calls functions at the same time. While they run, faults come at random
// moments, all from the round's seed: a node is killed with -9 and comes back, is stopped for
// up to 30 s and goes on, is cut off by iptables, in both directions or in one. In half of
// the rounds a middle is killed as soon as it has lent on what it holds for somebody else: the node
// that a run is a guest of, or a peer, between two nodes that do not reach each other; without functions, a
// peer while it runs commands of that run.
//
// # What is checked
//
//   - the output is byte for byte that of a sequential run, in order, and the exit code 0;
//   - every task has one line in the job log; every call returns once to its caller, with the right
//     result, and ran to its end somewhere (how many began more than once is in the log);
//   - no command ran twice at the same time (each holds a lock on a file of its own);
//   - when the job has ended nothing of it runs anywhere, and when filch run or a node was
//     killed, nothing of theirs does, once their leases are over;
//   - the processes below a node that is killed end at once;
//   - afterwards no node says that it runs, holds a core for, or waits for anything.
//
// The moments are of the wall clock and so is what processes do in between: a seed repeats the
// plan of a round, not its every step. The simulator (testbed/sim) repeats steps.
package chaos
