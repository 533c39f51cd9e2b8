// Package chaos breaks a cluster of real processes while it works, and checks that every task
// still ended in exactly one outcome, the right one. "make chaos" does ROUNDS rounds from SEED on;
// FILCH_CHAOS=n does n. It needs Linux, root, ip and iptables, and says so where it is skipped.
//
// # A round
//
// Three nodes, each in a network namespace of its own, all with the same files. From one of
// them a job starts: commands (filch run), or functions. While it runs, faults come at random
// moments, all from the round's seed: a node is killed with -9 and comes back, is stopped for
// up to 30 s and goes on, is cut off by iptables, in both directions or in one.
//
// # What is checked
//
//   - the output is byte for byte that of a sequential run, in order, and the exit code 0;
//   - every task has one line in the job log;
//   - no command ran twice at the same time (each holds a lock on a file of its own);
//   - when the job has ended nothing of it runs anywhere, and when filch run or a node was
//     killed, nothing of theirs does, once their leases are over.
//
// The moments are of the wall clock and so is what processes do in between: a seed repeats the
// plan of a round, not its every step. The simulator (testbed/sim) repeats steps.
package chaos
