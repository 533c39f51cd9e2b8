// Package compose breaks a testbed of containers while it works, and checks the history of every task. "make compose-chaos" does
// ROUNDS rounds from SEED on; FILCH_COMPOSE=n does n. Without a Docker engine it skips itself and says so.
//
// # A round
//
// Two racks of two nodes, each in a container that stands for a machine (cmd/filch/compose). In the first one's container a
// "filch run" starts commands and a program calls functions, at the same time; their history is kept on the directory that all
// share. Faults come at moments that follow from the round's seed: a container is killed and started again, with its disk or
// without, restarted in good order, paused for longer than a lease or shorter, disconnected from the backbone, so that it has its rack left, or
// from both networks. The first container is not killed, because its tasks would end with it (testbed/chaos does that); it is paused and cut off as the others are.
//
// # What is checked
//
// Every task of a job that was acknowledged has one outcome with the right answer, and its history leads there: it began somewhere, ran to its
// end, and no two copies of a command ran at once. A copy on a paused container does not run; its successor may begin while it is
// paused, and it may live for a moment after that, until the supervisor sees the time. That is counted, and everything
// else is a violation. At the end no container runs a task.
//
// Planted faults (planted_test.go) show that the check finds what it is for.
package compose
