// Package exec is the local engine: it runs the tasks of many jobs on one
// machine's cores. Fairness picks the job, stealing finds the task.
//
// # The pieces
//
// A worker is the right to one core. A stack (Ctx) is a goroutine that can run
// tasks, with a deque for what they spawn. A stack needs a worker to run; when
// it blocks, it hands its worker to another stack, as an M hands over its P in
// the Go runtime. A job is a set of tasks; it has an inbox for what was
// submitted and is what fairness is between. A unit is what a worker takes in
// one go: a piece of a bag, a call, or a stolen child; a job is over when it is
// closed, its inbox is empty and no unit is under way.
//
// # A turn
//
// A worker takes a turn on the job that the fair queue (package fair) names:
// the one that has had least of its share. The turn is paid up front, a slice
// at least, so that workers that ask at the same time spread over the jobs.
// During the turn the worker picks, in this order,
//
//  1. the stack that it has itself just made ready, at most three in a row;
//  2. the inbox: stacks that can go on, then pieces, oldest first;
//  3. another stack's deque (one child, the oldest) or piece (half of what is
//     left, at most 32 tasks), nearest stack first.
//
// A unit ends with the stack's own deque empty: children that nobody joined run
// before anything else, but every 61st time a piece of the inbox goes first.
// When the slice is over, the worker settles, and goes on only if its job still
// is the least served one. A long fork-join notices the end of its turn in Spawn and
// Join: every so many spawns, by their pace, it reads the clock, and the watchdog
// raises a flag; if the turn is over the stack parks in the inbox with its deque
// open to thieves. No task is ever cut.
//
// # Spawn and join
//
// Spawn writes a typed frame from the stack's slab, pushes it, and tests one
// bit; Join pops it and calls the function. That is one locked instruction each, no
// allocation, no clock, no lock. Frames are found through their first field: a
// record is the head of a Child of any type, so the deque is not generic and
// nothing is boxed. If the child was stolen, Join suspends the stack.
// A joining stack runs only what tasks on that same stack have spawned: helping
// with anything else could bury it under work that waits for it (rayon#592).
//
// # Why no work is forgotten
//
// Work is published first, then its presence bit is read; whoever finds a place
// empty clears its bit first, then looks again (package park). A bit that goes
// from clear to set announces the job: under the fair lock the job joins the
// line and a sleeper wakes, unless somebody searches. A worker goes to sleep
// under the same lock, after it has seen the line empty. A job leaves the line
// under the same lock, if no bit is set. So at any moment when nobody holds the
// lock: a set bit means that its job stands in line, or that its announcer is on the
// way; and a job in line with work, beside a sleeper, means that somebody searches.
// A searcher that finds work wakes the next sleeper if there is more.
//
// rayon and the Go runtime decide the same without a lock, with an events
// counter or a spinning count. Here the lock is taken once per turn anyway, and a
// worker that has nothing to do has time for it; so one lock replaces the subtle
// half of the protocol, and the subtle rest is enumerated (package stepper).
//
// # Children that run elsewhere
//
// Job.Oldest, Fn.TakeAt and Taken.Finish take children out of deques for somebody who is no
// worker: the node, for its peers. To who joins it such a child is stolen; to its job it
// is a unit under way until Finish. Config.Idle tells when workers have nothing to do:
// a task that waits for a child elsewhere leaves its core to others. Ctx.Current tells a task's own goroutine
// from those that it has started (package gid).
//
// # Blocking
//
// Ctx.Block marks a wait and lends the worker away. Blocking that nobody marked
// is noticed by the watchdog: when the process uses less CPU time than its
// workers claim, and fewer goroutines are runnable than that, while work is
// queued, substitutes are added, and they leave when the cores are busy again.
//
// # Needs
//
// A task may hold several cores or memory. One reservation at a time collects
// workers as their turns end, so two wide tasks cannot hold half of the
// machine each and wait for the other half. Work that needs only a core
// goes on meanwhile. The workers that a wide task has collected rest while it
// runs, each with a turn of its own that pays for its core, and the task is not
// parked at the end of its turn.
//
// Commands cannot be parked either. A job that got no core for a second because
// other jobs' commands hold them all may start its share beside them
// (entitled.go).
//
// # What is not promised
//
// A child that nobody joins runs before its job is over, but if it fails, nobody is
// told: whether it would still have been joined cannot be known. A task that
// recovers a child's panic thousands of times may be told that it is nested too
// deeply.
//
// # Rejected
//
//   - A private deque that is opened on request (Lace, heartbeat scheduling): no
//     locked instruction at all, but what an owner has queued stays hidden while
//     it runs one long task, and idle workers beside a backlog are what users
//     complain about most.
//   - Taking tasks from a bag in batches that cannot be stolen: the same, on a
//     smaller scale. A locked instruction per task of a bag buys exactness.
//   - A clock per task: 25 ns. Bags read it every 50 µs or so, by the job's usual
//     task time; the watchdog calls on workers that overrun.
//   - Pinning workers to CPUs: LockOSThread makes every hand-over cost microseconds.
//     Workers have a place, which orders victims; the kernel keeps threads near it
//     well enough.
//
// # Sources
//
// Chase and Lev 2005 (deques); Singer et al. 2019 (suspended deques); Polychronopoulos and
// Kuck 1987 (guided self-scheduling); the Go runtime's proc.go (hand-over of
// Ps, 61); rayon-core's sleep/README.md; scx_flatcg (paying up front).
package exec
