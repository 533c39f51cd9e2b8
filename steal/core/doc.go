// Package core decides about tasks between nodes: who holds what for how long,
// which outcome counts, whom to ask for work and what to hand over. It is a state
// machine: Step takes the time and one event and returns effects. There is no
// goroutine, clock, socket or global randomness in it, so that the simulator
// (testbed/sim) runs the very code that production runs, and repeats any failure
// from its seed.
//
// # What is promised
//
// A task may start more than once; it has one outcome. Home, the process where
// the task was submitted, alone commits. It never commits twice, never commits or
// grants after it has accepted a cancel, and says Stopped only when nothing of
// the job runs anywhere. Two copies of a command never run at the same time,
// unless the command is declared idempotent or told to outlive its lease. Nothing
// that home has acknowledged is forgotten while home lives, or, if the job is
// durable, while its journal does.
//
// # Two parties
//
// Every edge is the same protocol between a grantor and a holder, whatever they
// are otherwise: home and thief, a thief that was robbed and the second thief, or
// an orphan and the root home that it turned to. The holder opens the channel and
// numbers its epochs. Leases are renewed by heartbeats that the holder sends; the
// grantor only answers.
//
//	up:   Hello, Beat, Page   "I hold this" (all of it, or its digest)
//	      Report              outcomes; ends without an outcome
//	      StartAsk            may this suspect start?
//	      Offer, Withdraw     room for tasks
//	down: Ack                 the lease, per lane
//	      Grant               pieces, numbered within the epoch
//	      Drop, Gone, Recall  stop and forget; ask the root home; hand back what has not started
//	      Recorded, StartOK   answers to Report and StartAsk
//	      NoWork, News        answers to Offer
//	      Refused             this epoch is over
//
// A piece at a holder is unstarted, running, sub-granted; then ended (an outcome
// is on its way), killed, lost, gone up (the root home was asked), until its end
// is recorded; then it is forgotten. A task at home is queued, held, or committed.
// Both are kept by intervals, never by task (Spans, slots, holds): a bag of a
// million is one record that splits as it is granted.
//
// The unit of lease is the grant, the unit of commit the index, and the fencing
// token the attempt, which is counted per job and incarnation of its home. A
// grant's pieces carry a warrant, home's signature over interval, attempt and
// holder. It comes back with outcomes and claims, so that home can tell what is
// late from what is made up, and needs not remember whom it ever granted what.
//
// # Lanes
//
// What a middle sub-grants hangs on a lease that the middle holds itself. One
// channel can carry pieces that hang on several: own jobs are lane 0, the others
// are numbered by the middle. An acknowledgement says for each lane how much is
// left. A deadline is therefore a property of the lane, not of the channel, and a
// middle that is cut off from one home does not stop what it passes on for another.
//
// # Rules
//
// The protocol was model-checked before it was written; each rule has a
// counterexample without it. Where they live:
//
//	nest        an ack carries at most what is left of the grantor's own deadline: laneLeft (lease.go)
//	guard       start and sub-grant look at the deadline themselves: startHeld (holder.go), share.unfit (victim.go)
//	limbo       commands of a holder's dead incarnation wait until its old lease is over: reconcile (grantor.go), endLimbo (suspect.go); middles, too
//	doneheld    what has finished and is not acknowledged is in the set: claims (epoch.go)
//	lostup      a middle reports a lost sub-grant and never runs that attempt again: middleEnded (middle.go)
//	killed      what was killed stays in the set until its end is acknowledged: ranHere (holder.go)
//	orphmark    what went up to the root home stays in the middle's set, as gone up: orphan (orphan.go)
//	applied     a set is reconciled only up to the last grant applied: inFlight (grantor.go)
//	journal     a cancel's commits come before CancelAccepted: cancel (cancel.go); effects are carried out in order
//	inc         incarnations are the driver's (Config); attempts and frames carry them
//	grace       a restarted home waits one lease before it grants what may be held: restore, endGrace (home.go)
//	unacc       Stopped counts what was lost without a confirmed end: lost (budget.go), stoppedDue (cancel.go)
//	dropsub     a middle confirms a drop when its own holder has: dropHeld, middleEnded
//	oldepoch    nothing of an older epoch is read: holderGets (epoch.go), grantorGets (grantor.go)
//	byattempt   ends, drops and acks name the attempt: Piece (words.go)
//	livefail    a failure counts only from a live attempt, and commits only when no other is: failed (attempt.go)
//	suspleaf    a suspect is not sub-granted: share.unfit (victim.go)
//	susprec     only a loss after a recorded start is charged: lostSpan (budget.go)
//	lapse       after a deadline has passed, a new epoch comes first: lapseDue (lease.go)
//	oldinc      a restarted durable home takes outcomes and claims of its earlier incarnations: adopt (home.go), homeOutcome (attempt.go)
//	giveup      work whose home is silent for long is stopped: giveUpDue (epoch.go)
//	gone        a middle answers an unknown claim with Gone, not Drop: middleClaim (middle.go)
//	freshinc    a grantor's new incarnation does not extend what the old one lent on: newGrantor (orphan.go)
//	moved       an end counts only from the channel that holds the attempt: takeEnd (grantor.go)
//	keepend     a drop does not erase what is not recorded: dropHeld (cancel.go)
//	acklast     an ack follows the drops that the set earned: prolong (grantor.go)
//	supervisor  a command's deadline is kept outside of this process: the effect Leash
//	amnesia     who gave up on a grantor greets it as new: Session, abandon (epoch.go)
//
// Beyond the model: warrants; digests instead of sets while both sides agree; an
// outcome or end that is not acknowledged for a beat is told again (streams lose
// nothing, peers do), and frames that are missing end the epoch; what an outcome
// has overtaken on the data stream does not revive its attempt (hasFailed, home.go:
// the simulator found a failure counted twice); a grantor that finds more than a third of its holders silent
// waits one lease more; a late step shifts what the node keeps as grantor.
//
// Different from the model: a claim does not carry its outcome, which is sent
// again after each full set; a middle that gets an outcome which it does not know
// sends the holder to the root instead of passing it on; a command whose middle
// does not know it is stopped instead of shown to the root, because its leash
// is that of the old lease.
//
// # Time
//
// Steps get a monotonic time that includes suspends. Deadlines travel as what is
// left of them. A holder counts from when it sent the heartbeat that was
// acknowledged, a grantor from when it got it, and 7 s against 10 s leave room for
// clocks that differ and for processes that take a while to die. The driver hands
// in the frames that have arrived before it hands in Tick.
//
// # Stealing
//
// A node with free cores asks one victim at a time: the nearest level that is
// believed to have surplus, there the better of two at random. It asks for one
// task per free core at first and for twice as many as outcomes come back. The
// victim answers with at most half of its surplus, in estimated time, oldest
// first. After three tries without success the thief leaves a standing offer at
// its lifelines and goes quiet; the first answer consumes it. (Lifelines: Saraswat
// et al., PPoPP 2011. Half: Hendler and Shavit, PODC 2002.) Work that comes from a
// peer goes back to it when it asks; it never travels up its own chain.
//
// In a large cluster a thief asks by way of one that is nearer than the source, and that one for all who ask it
// meanwhile (way.go): so a home with a million tasks is dialled by some dozens and not by thousands.
//
// A task moves when it would start there sooner than here (cost.go); what has waited
// for two round trips and 50 ms moves to a free core in any case. Offers are answered
// nearest first. A victim without work names others; a home that cannot run its work
// itself invites members to ask (invite.go), who do that next, whoever has more. A job that has nothing queued gives its
// slowest tasks to a second peer, if they may run twice (hedge.go).
//
// # Where tasks run
//
// A job says where (Where), each grantor looks at that before it grants, and the
// process that runs a task looks once more. The directory of a job is proven on each
// channel before the first grant over it (prove.go). On a core that is free the
// tenant furthest below its weight is next (tenants.go). If its task needs more cores or memory than are free, what becomes
// free is kept for it (reserve.go). A guest is a home on a
// node's machine that executes its own tasks on cores that the node lends; the node
// holds what it does not start for others to steal (guest.go).
//
// A run whose function waits for its children elsewhere leaves its core to others (slack.go). Children that the
// engine keeps in its own deques are fetched when peers wait for work (wanted.go).
//
// # Not here yet
//
// Labels of members are not known before their first offer, so an invitation may go
// to one that lacks them. Fairness between
// homes is exact on a node and not across nodes.
//
// # What is told
//
// Home keeps a story of each job (story.go), everybody else one of what it lent on of others' jobs; who explains
// a task asks along the tree (explain.go). A guest's refusals by peers are known to its node and not to itself.
// How long things took is counted where it happens (times.go).
//
// # Invariants
//
// Asserted after every step with Config.Check (invariant.go): queued, held and
// committed partition each job; held is what somebody has a hold on; slots are
// disjoint; what is sub-granted is held by exactly the one it was granted to; cores are
// kept only for what could start on them.
//
// # Rejected
//
//   - A lease per task. A heartbeat would grow with what is held, and a bag of a
//     million tasks with it.
//   - A channel per pair and root home. Simple to think about, but heartbeats,
//     epochs and reconnects multiply by the number of homes; lanes cost a number.
//   - Passing a lease on when its holder is robbed. Home would have to follow every
//     steal; with sub-grants only the two involved know.
//   - Taking work back on a failure detector's word. Gossip errs under load, and
//     an error would start commands twice. Silence for a whole lease does not err
//     as long as clocks run at about the same rate.
//   - A redirect in the answer of a home that everybody asks (NoWork.Ask alone). It comes after the dial that
//     it should save; and who is named is asked by all the others.
//   - Asking for more than those want who wait, since they will ask again. Two that ask each other add up without end.
//   - Consensus among grantors. Home is the only one who has to agree with itself.
package core
