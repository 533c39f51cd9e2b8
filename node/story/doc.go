// Package story puts what the state machines of processes know about a task into the words of the control API, and
// carries it from one process to another.
//
// # Who knows what
//
// A task's home knows every attempt: whom it granted it and what it expected of that, what
// came back, what counted. Whoever lent it on knows that. So an explanation is several accounts, one for each
// process that had to do with the task, the home's first. They are not merged: each goes by a clock of its own.
//
// The home of a "filch run" is that process. While it lives its node asks it; before it ends it leaves the node a
// Farewell, its whole story, which the node keeps for a while. A run that is killed leaves none; what its node
// lent on is known all the same.
//
// # The wire
//
// Frames of JSON, four bytes of length before each: one question and one answer to a
// stream. Lengths are judged before anything is read.
package story
