// Package park decides who sleeps and who is woken: the Presence, by which a job
// knows where it has work, and the Lot, where workers sleep. With them come the
// rules by which the engine uses them; they are what makes it certain that no
// task waits while a worker sleeps, and that nobody spins.
//
// # States
//
// A worker is busy, searching or asleep. Busy: it runs a task. Searching: it
// holds a turn on a job and looks for a first task there, or it has found no
// job and spins for a few microseconds. Asleep: it is in the Lot. Searchers
// are counted, so that ten announcements in a row wake one worker, not ten.
//
// A place (a stack with its deque and span, or the job's inbox) is marked or not in
// the Presence of the job. A job is listed, in the fair queue, or not.
//
//	marked   somebody should look there
//	clear    nothing is there; who puts something there marks it, and announces the job
//	listed   a worker that wants a turn may take this job
//
// # The protocol
//
// Who brings work:
//
//  1. publishes it: on its deque, in its span, in the inbox;
//  2. loads the bit of its place, and is done if it is set. That is one plain
//     load, and nearly always the end of it;
//  3. else marks the place, and if it was the one who set the bit,
//  4. announces the job: under the engine's lock it lists the job and, if
//     nobody searches, wakes a sleeper, who counts as a searcher from then on.
//
// Who looks for work:
//
//  1. tries the marked places of its job;
//  2. vacates each place that it finds empty: clears the bit, looks once more, and
//     if something is there now, sets the bit again, announces the job if it was the one who set
//     it, and goes on with 1;
//  3. when no place is marked, ends its turn: under the lock it looks at the
//     Presence as a whole and, if nothing is marked, takes the job off the list;
//  4. under the same lock takes a turn on another job, or sleeps if none is listed. Before
//     the first time it gives up the lock for a few microseconds while it counts as
//     a searcher, and tries again.
//
// Who has found its first task is no searcher any more. If there is more, in this
// job or another, it wakes the next one. Wakes spread like that, from worker
// to worker, at the rate at which work is found.
//
// # Why no task is stranded
//
// Publishing and loading the bit on one side, clearing the bit and looking on
// the other: each side writes, then reads what the other one writes (Dekker).
// All four are sequentially consistent, so at least one side sees the other: the
// producer finds the bit clear and announces, or the searcher finds the task.
//
// It follows: where something is, the bit is set, or somebody is on the way who will
// set it or take the thing. Where a bit is set, the job is listed, or somebody
// is on the way to announce it: bits are set by who announces, and a job leaves the list only
// under the lock, when no bit is set. That is why Vacate must tell its caller to announce:
// while the bit was clear, another worker may have taken the job off the list and gone to
// sleep, and the producer, seeing the bit set again, would leave it at that.
//
// Where a job is listed while a worker sleeps, somebody searches: listing and
// waking happen under the lock under which sleepers find nothing listed and go to sleep. A searcher
// stops being one in these ways, all under the lock. It finds a task, and wakes
// the next if anything is left; it sleeps, having found nothing listed; it leaves
// for good, and wakes another in its stead; or it gives itself to a task that
// needs several cores, for which as many sleepers were woken as it needs, so that
// one of them is left over to look instead.
//
// # Places that change hands
//
// A stack that goes from one job to another, and a place that goes from one
// stack to another, could be cleared by a thief who still means the old one.
// Two rules prevent it. A thief announces its visit at the stack, then checks that
// the stack works for its job; a stack that changes jobs says so, then waits for
// the visitors that may not have noticed (Dekker again), and only then pushes. And
// whoever clears a place, for whatever reason, looks again afterwards, at the
// place and not at the stack that was there when it began.
//
// # How this was checked
//
// The tests under the build tag "stepper" run the real Presence, Lot, Deque
// and fair queue in every interleaving of small scenes: one or two tasks that spawn, somebody who submits,
// up to three workers in each state that they can be in. The engine's part in between is mirrored
// in crew_stepper_test.go and the files beside it, function by function; a
// test compares the text of those functions with what was mirrored. Left out are
// resizing, tasks that need several cores, and stacks that are suspended. Most
// tasks in them never end, so that a wake-up that is missing cannot be made good
// by a worker that comes by later: at the end no task may wait while a worker
// sleeps. testbed/plant breaks each step of the protocol and shows that a scene notices.
//
// # Rejected
//
//   - A lock-free list of sleepers and a counter of events that a sleeper checks
//     before it sleeps (rayon-core, src/sleep/README.md). It keeps the lock away
//     from wakers; but here who wakes lists a job, which takes the fair queue's
//     lock anyway. Under it "nothing is listed" and "I sleep" are one step, and the
//     counter of events is left to shorten the spin.
//   - Waking a worker for every spawn. A wake-up costs some hundred nanoseconds
//     at least, a spawn some ten (see also tokio#8065). A spawn onto a marked place wakes nobody.
//   - Clearing the bit when a deque becomes empty, by its owner: a locked
//     instruction at nearly every join. Searchers clear it, when there are any.
//   - A flag per worker instead of a count of searchers: whoever announces would
//     have to look at all of them.
package park
