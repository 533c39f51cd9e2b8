// Package stepper enumerates the interleavings of small concurrent programs:
// all of them, not those that happen to occur under a race detector. It is
// what loom is to Rust and what the Go standard library lacks. Only tests
// use it: under the build tag "stepper" the packages deque and park replace the
// types of sync/atomic by the types of this package, and their tests run the
// very code that the engine runs.
//
// # What it does
//
// A Program sets up fresh state and declares threads. Explore runs it again
// and again. Threads are coroutines, of which one runs at a time. Before each
// operation on a variable of this package (a step) a thread stops, and the
// explorer chooses who goes next; between two steps a thread runs undisturbed.
// Choices form a tree, which is searched depth first: each run repeats the
// choices of the one before it up to the last one that has an alternative,
// takes that, and goes on from there. A program must therefore do the same
// whenever it is told the same: no clocks, no map order, no randomness.
//
// A run ends when no thread can take a step. It fails if
//
//   - a thread or the Finally function calls Failf or panics,
//   - threads are left that wait for a mutex, a signal or a value: a deadlock,
//     or, seen from whoever waits, a lost wake-up. Daemon threads may be left,
//   - two plain accesses, or a plain and an atomic one, are not ordered by
//     synchronisation: a data race as the Go memory model defines it,
//   - it takes more than MaxSteps steps: threads wait for each other without
//     blocking. Loops that wait must be written with Await.
//
// The failing run comes back as a trace that a person can read, and as a schedule
// by which the same run can be repeated alone.
//
// # Why sequential consistency is enough
//
// The Go memory model makes all operations of sync/atomic behave as if in one
// sequential order, so interleaving whole operations loses nothing there. It
// promises nothing about plain accesses that race, but it does promise that a
// program without races behaves as if interleaved. So plain accesses (Cell,
// and the plain half of Mixed) are not steps; instead they are checked against
// vector clocks that only synchronisation advances. If no run has a race, then
// the runs are all that there is; if one has, the first is reported.
// Compilers and weakly ordered machines are thereby covered, as far as the Go
// implementation keeps its own promises.
//
// # Leaving out what is the same
//
// Two steps of different threads are independent if they use different
// variables or both only read. Runs that differ in the order of independent
// steps alone are indistinguishable to every thread, and one of them is
// enough. Explore finds one of each such class (a Mazurkiewicz trace) by
// source-set dynamic partial-order reduction with sleep sets (Abdulla,
// Aronis, Jonsson and Sagonas, POPL 2014; the walk over blocked operations follows
// Flanagan and Godefroid, POPL 2005):
//
//   - When a step is taken, the search looks back for steps that raced with
//     it: dependent, of another thread, and not ordered before by other
//     steps. At each of those places it notes that somebody must go first there
//     who leads to the other order.
//   - A thread that has been tried at a place sleeps in the alternatives
//     tried there later, until a step that depends on its own wakes it. A run in
//     which all threads that could go on are asleep repeats an earlier one and is cut
//     short.
//
// Blocking operations need care, because a step may disable another thread. A
// thread that waits for a variable is checked against each earlier state of
// that variable in which it could have gone on, not just against the last step.
//
// Since independent steps commute, what the threads observe, and the state at
// the end, are the same throughout a class. The states in between are not. So
// an assertion belongs into a thread, where it speaks about what the thread
// has observed, or into Finally; and a test that cares for the order of independent steps,
// as linearizability does, says so with an Order.
//
// Options.Full switches the reduction off and enumerates every interleaving.
// The tests of this package compare the two on thousands of random programs: the
// reduced search must meet each class exactly once.
//
// # Rejected
//
//   - Goroutines that hand over through channels: the same, three to four
//     times slower than coroutines (350 against 100 ns there and back). iter.Pull is the only door to the runtime's coroutines.
//   - Remembering states instead of classes of runs. The state of a Go function
//     in mid-flight cannot be hashed, and a hash of all it has observed so far
//     distinguishes nearly as much as the runs do.
//   - Bounding the number of preemptions (CHESS). It scales further, but the
//     interesting words are "every interleaving". Options.Sample is there for
//     programs that are too large for them.
//   - Rewriting the code under test. Aliases under a build tag leave one text
//     to read, and the linker removes what production does not use.
package stepper
