// Package home is a node's part as home: the jobs that were submitted to it, in memory,
// and what became of their tasks.
//
// A Table is the steal.Home of a driver. It keeps two kinds of records. A Job is a set of
// tasks that is known when it is submitted; it keeps an outcome for every task. Calls are
// functions called one by one: all calls of one function are one job of the protocol,
// which grows for as long as the node lives and keeps nothing of a call that has
// returned. A job for each call would cost a record, a story and a header for 16 bytes of
// argument.
//
// # Who calls whom
//
// The driver calls Header and Body from anywhere, and Committed and Told from its own
// goroutine, which must not wait. Whatever takes time there, reading outputs and calling
// back, is done by the Table's own goroutine (Run), in the order in which it was told. A
// call that somebody waits for is answered at once, since that is a send that cannot
// block.
//
// # Growing in batches
//
// Each event costs the driver a step, which is worth a hundred calls. So Calls tell the
// driver of the first call at once, and of those that come while it is busy with that
// together, as a log commits in groups: one call waits for nobody, and two hundred
// thousand a second are some thousand events.
//
// # What is bounded
//
// Tasks per job and in all, calls in flight, finished jobs that are remembered, bytes of
// tasks, and bytes of output per task and in all. What is refused says by which bound.
package home
