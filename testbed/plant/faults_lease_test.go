package plant

// leaseWorlds is the simulator: clusters of steal/core in virtual time, broken by
// seed. The comment beside a fault's test is the first seed that found it.
var leaseWorlds = check{folder: "testbed/sim", run: "^TestSimulation$"}

// leaseTheme is the simulator with one kind of trouble.
func leaseTheme(name string) check {
	return check{folder: "testbed/sim", run: "^TestThemes$/^" + name + "$"}
}

var leaseFaults = []fault{
	{
		name: "a channel that is thought to be cut is acknowledged",
		file: "steal/core/grantor.go",
		old:  "\tif d.cut {\n",
		new:  "\tif false {\n",
		test: coreTest("TestTheLateEndOfAnOldConnectionIsOvercome"),
		says: "nothing is answered",
	},
	{
		name: "an outcome commits without its ticket",
		file: "steal/core/attempt.go",
		old:  `if !onEdge && !c.genuine(o.Piece, &o.Warrant) {`,
		new:  `if false {`,
		test: leaseTheme("lies"), // seed 1
		says: "forged:",
	},
	{
		name: "a failure counts whatever else is live",
		file: "steal/core/attempt.go",
		old:  `case !live || others > 0:`,
		new:  `case !live && others > 99:`,
		test: leaseWorlds, // seed 38
		says: "has failed",
	},
	{
		name: "a task is committed twice",
		file: "steal/core/attempt.go",
		old:  "c.stats.DuplicateOutcomes += r.Len()\n\t\t\tcontinue",
		new:  "c.stats.DuplicateOutcomes += r.Len()",
		test: leaseWorlds, // seed 6
		says: "is committed twice",
	},
	{
		name: "a silent lease is forgotten",
		file: "steal/core/suspect.go",
		old:  "\t\tc.expire(d)\n",
		new:  "\t\td.open = false\n",
		test: leaseWorlds, // seed 1
		says: "expiry:",
	},
	{
		name: "a task is queued again while somebody has it",
		file: "steal/core/home.go",
		old:  `range r.Span.minus(out) {`,
		new:  `range r.Span.minus(out[:0]) {`,
		test: leaseWorlds, // seed 38
		says: "queued:",
	},
	{
		name: "a late step does not shift the leases of others",
		file: "steal/core/core.go",
		old:  "\t\tc.shift(late)\n",
		new:  "",
		test: leaseTheme("freezes"), // seed 68
		says: "copies:",
	},
	{
		name: "a set is read as if no grant were in flight",
		file: "steal/core/grantor.go",
		old:  "\tif d.inFlight(&h, d.applied) {\n\t\treturn\n",
		new:  "\tif false {\n\t\treturn\n",
		test: leaseTheme("frames"), // seed 13
		says: "attempt:",
	},
	{
		name: "a suspect is sub-granted",
		file: "steal/core/victim.go",
		old:  `case src.lot.suspect:`,
		new:  `case false:`,
		test: leaseWorlds, // seed 14
		says: "which is not its home",
	},
	{
		name: "no look at the deadline before a start",
		file: "steal/core/holder.go",
		old:  `return q.lane.mayRun(c.now + left)`,
		new:  `return left >= 0`,
		test: coreTest("TestNothingStartsAfterItsLease"),
		says: "another starts after the lease",
	},
	{
		name: "a restarted home grants at once what may be held",
		file: "steal/core/home.go",
		old:  `if c.now < c.graceEnd {`,
		new:  `if false {`,
		test: leaseTheme("restarts"), // seed 8
		says: "copies:",
	},
	{
		name: "commands of a dead incarnation are granted at once",
		file: "steal/core/grantor.go",
		old:  `if h.fences && !h.own { // its commands`,
		new:  `if false { // its commands`,
		test: leaseTheme("restarts"), // seed 20
		says: "copies:",
	},
	{
		name: "a middle runs again what its thief lost",
		file: "steal/core/middle.go",
		old:  "\t\t\tq.state = ClaimLost\n\t\t\tu.end(end)\n\t\t\treturn true\n",
		new:  "\t\t\tq.state, q.to, q.flags = ClaimUnstarted, \"\", 0\n\t\t\treturn true\n",
		test: leaseWorlds, // seed 14
		says: "attempt:",
	},
	{
		name: "what has ended is not in the set",
		file: "steal/core/epoch.go",
		old:  "\t\t\tq := &h.slots[k]\n\t\t\tall = append(",
		new:  "\t\t\tq := &h.slots[k]\n\t\t\tif q.state == ClaimEnded {\n\t\t\t\tcontinue\n\t\t\t}\n\t\t\tall = append(",
		test: leaseWorlds, // seed 16
		says: "taken:",
	},
	{
		name: "deadlines do not nest",
		file: "steal/core/lease.go",
		old:  `return min(HolderTTL, l.until-c.now) }`,
		new:  `return HolderTTL }`,
		test: coreTest("TestDeadlinesNest"),
		says: "outlives the middle's",
	},
	{
		name: "a cancelled job's queue stays grantable",
		file: "steal/core/cancel.go",
		old:  "if r.Value != taskCommitted {\n\t\t\t\tc.record",
		new:  "if r.Value == taskHeld {\n\t\t\t\tc.record",
		test: leaseWorlds, // seed 3
		says: "cancel:",
	},
	{
		name: "Stopped is said while somebody still holds",
		file: "steal/core/cancel.go",
		old:  "if c.stillHeld(j.id) {\n\t\treturn",
		new:  "if false {\n\t\treturn",
		test: leaseWorlds, // seed 3
		says: "stopped:",
	},
	{
		name: "Stopped forgets those who vanished",
		file: "steal/core/budget.go",
		old:  `if !j.terms.fences() && (!h.suspect || h.recorded) {`,
		new:  `if false {`,
		test: leaseTheme("cuts"), // seed 76
		says: "stopped:",
	},
	{
		name: "a loss is charged that was never started",
		file: "steal/core/budget.go",
		old:  `if !h.recorded {`,
		new:  `if false {`,
		test: leaseTheme("restarts"), // seed 80
		says: "charge:",
	},
	{
		name: "a suspect starts unasked",
		file: "steal/core/holder.go",
		old:  `if q.suspect && q.flags&slotAllowed == 0 {`,
		new:  `if false {`,
		test: leaseWorlds, // seed 11
		says: "without a record",
	},
	{
		name: "a suspect is granted with others",
		file: "steal/core/victim.go",
		old:  "\t\ts.alone = suspect\n",
		new:  "",
		test: leaseWorlds, // seed 16
		says: "is not granted alone",
	},
	{
		name: "leashes are not extended",
		file: "steal/core/lease.go",
		old:  "\t\tif l.key != 0 {\n\t\t\tc.emit(",
		new:  "\t\tif false {\n\t\t\tc.emit(",
		test: leaseWorlds, // seed 2
		says: "calm:",
	},
	{
		name: "who gave up comes back as if nothing had been",
		file: "steal/core/epoch.go",
		old:  "\tu.session++\n",
		new:  "",
		test: coreTest("TestWhoGaveUpComesBackAsNew"),
		says: "granted again before the old lease is over",
	},
	{
		name: "a lease counts from when its acknowledgement comes",
		file: "steal/core/lease.go",
		old:  `c.extendLanes(u, m.Lanes, sent)`,
		new:  `c.extendLanes(u, m.Lanes, c.now)`,
		test: coreTest("TestALeaseCountsFromItsHeartbeat"),
		says: "the lease ends",
	},
	{
		name: "a middle confirms a drop before its thief does",
		file: "steal/core/cancel.go",
		old:  "\t\t\t\tc.dropBelow(h.piece(q), q)\n\t\t\t}\n\t\t}\n\t\treturn true",
		new:  "\t\t\t\tc.cutBelow(h.piece(q), q)\n\t\t\t\tu.end(End{Piece: h.piece(q), Kind: EndDropped, Warrant: q.warrant})\n\t\t\t\treturn false\n\t\t\t}\n\t\t}\n\t\treturn true",
		test: leaseTheme("chains"), // seed 9
		says: "stopped:",
	},
	{
		name: "a middle is not shown what went up",
		file: "steal/core/lease.go",
		old:  `c.orphan(u, l, true)`,
		new:  `c.orphan(u, l, false)`,
		test: leaseTheme("chains"), // seed 34
		says: "attempt:",
	},
	{
		name: "an end counts from whoever tells it",
		file: "steal/core/grantor.go",
		old:  "\tparts := d.takeOut(e.Job, e.Span, func(h *hold) bool { return h.attempt == e.Attempt && h.limbo == 0 })\n",
		new:  "\tvar parts []hold\n\tfor _, d := range c.downList {\n\t\tparts = append(parts, d.takeOut(e.Job, e.Span, func(h *hold) bool { return h.attempt == e.Attempt && h.limbo == 0 })...)\n\t}\n",
		test: leaseTheme("lies"), // seed 14
		says: "copies:",
	},
	{
		name: "ends do not name the attempt",
		file: "steal/core/grantor.go",
		old:  "\tparts := d.takeOut(e.Job, e.Span, func(h *hold) bool { return h.attempt == e.Attempt && h.limbo == 0 })\n",
		new:  "\tparts := d.takeOut(e.Job, e.Span, func(h *hold) bool { return h.limbo == 0 })\n",
		test: leaseWorlds, // seed 189
		says: "copies:",
	},
	{
		name: "the holder reads older epochs",
		file: "steal/core/epoch.go",
		old: ` || f.Epoch != u.epoch {
		return // an older epoch: its set is history
	}
	if f.Seq <= u.seen {
		return
	}
	if _, over := f.Msg.(Refused); f.Seq != u.seen+1 && !over {`,
		new: ` {
		return
	}
	if false {`,
		test: leaseTheme("lies"), // seed 101
		says: "ends:",
	},
	{
		name: "a set is acknowledged before its drops",
		file: "steal/core/grantor.go",
		old:  "\td.flush(c)\n\td.send(c, Ack{",
		new:  "\td.send(c, Ack{",
		test: coreTest("TestAnAckFollowsTheDropsOfItsSet"),
		says: "acknowledged before what it shows",
	},
	{
		name: "work outlives its home for ever",
		file: "steal/core/epoch.go",
		old:  "\tc.abandon(u)\n}\n\nfunc (c *Core) abandon",
		new:  "}\n\nfunc (c *Core) abandon",
		test: leaseWorlds, // seed 13
		says: "clean:",
	},
	{
		name: "a cancel of what has ended tells of it",
		file: "steal/core/cancel.go",
		old:  `if !ended {`,
		new:  `if !ended || true {`,
		test: coreTest("TestACancelOfWhatHasEndedTellsNothing"),
		says: "of a job that had ended",
	},
	{
		name: "lapse: no new epoch after a deadline",
		file: "steal/core/lease.go",
		old:  "\tif any {\n\t\tc.closeLink(u)\n\t}\n",
		new:  "",
		test: coreTest("TestALapsedHolderBeginsANewEpoch"),
		says: "after its lease it says",
	},
	{
		name: "killed: what was stopped is not shown",
		file: "steal/core/holder.go",
		old:  "\t\t\tq.state = ClaimKilled // stays in the set until its end is acknowledged\n\t\t\treturn true\n",
		new:  "\t\t\treturn false\n",
		test: coreTest("TestWhatWasKilledIsShownUntilItIsRecorded"),
		says: "what was killed is not shown",
	},
	{
		name: "keepend: a drop erases an outcome",
		file: "steal/core/cancel.go",
		old:  `return true // an outcome or an end on its way stays until it is recorded`,
		new:  `return q.state == ClaimRunning || q.state == ClaimSub`,
		test: coreTest("TestADropKeepsWhatIsNotRecorded"),
		says: "is forgotten for a drop",
	},
	{
		name: "oldinc: claims of an earlier incarnation are dropped",
		file: "steal/core/home.go",
		old:  `if !c.genuine(q.Piece, &q.Warrant) {`,
		new:  `if q.Attempt.Incarnation != c.cfg.Incarnation || !c.genuine(q.Piece, &q.Warrant) {`,
		test: coreTest("TestARestartedHomeTakesWhatItGrantedBefore"),
		says: "what runs is not adopted",
	},
	{
		name: "oldinc: outcomes of an earlier incarnation do not count",
		file: "steal/core/attempt.go",
		old:  `if !onEdge && !c.genuine(o.Piece, &o.Warrant) {`,
		new:  `if !onEdge && (o.Attempt.Incarnation != c.cfg.Incarnation || !c.genuine(o.Piece, &o.Warrant)) {`,
		test: coreTest("TestARestartedHomeTakesWhatItGrantedBefore"),
		says: "ended before the restart true",
	},
	{
		name: "gone: a middle stops what it does not know",
		file: "steal/core/middle.go",
		old:  `d.collect(&d.gones, Piece{q.Job, rest, q.Attempt})`,
		new:  `d.collect(&d.drops, Piece{q.Job, rest, q.Attempt})`,
		test: coreTest("TestAMiddleThatForgotSendsItsThiefToTheHome"),
		says: "has stopped what it does not know",
	},
	{
		name: "freshinc: a new incarnation extends what the old one lent on",
		file: "steal/core/orphan.go",
		old:  `if was == 0 || was == inc {`,
		new:  `if was != inc {`,
		test: coreTest("TestANewMiddleDoesNotExtendWhatTheOldLent"),
		says: "is extended by",
	},
}

// coreTest is one test of the state machine by itself.
func coreTest(name string) check {
	return check{folder: "steal/core", run: "^" + name + "$"}
}

// whereFaults are about where tasks may run, guests, and proofs.
var whereFaults = []fault{
	{
		name: "On is not looked at",
		file: "steal/core/where.go",
		old:  `len(w.On) > 0 && !slices.Contains(w.On, p):`,
		new:  `false:`,
		test: leaseWorlds,
		says: "where:",
	},
	{
		name: "Avoid is not looked at",
		file: "steal/core/where.go",
		old:  `case slices.Contains(w.Avoid, p):`,
		new:  `case false:`,
		test: leaseWorlds,
		says: "where:",
	},
	{
		name: "a local task is lent on",
		file: "steal/core/where.go",
		old:  "func (o *Offer) unable(p PeerID, t *Terms) string {\n\tswitch {\n\tcase t.Where.Local:",
		new:  "func (o *Offer) unable(p PeerID, t *Terms) string {\n\tswitch {\n\tcase false:",
		test: leaseWorlds,
		says: "where:",
	},
	{
		name: "an unknown function is granted",
		file: "steal/core/where.go",
		old:  `case !knows(o.Functions, t):`,
		new:  `case false:`,
		test: leaseWorlds,
		says: "where:",
	},
	{
		name: "a kind that the peer does not run is granted",
		file: "steal/core/where.go",
		old:  `case !slices.Contains(o.Kinds, t.Kind):`,
		new:  `case false:`,
		test: leaseWorlds,
		says: "where:",
	},
	{
		name: "more run than the job allows",
		file: "steal/core/where.go",
		old:  `return most - min(most, j.out)`,
		new:  `return most`,
		test: leaseWorlds,
		says: "most:",
	},
	{
		name: "a paused job starts",
		file: "steal/core/where.go",
		old:  `case j.paused:`,
		new:  `case false:`,
		test: leaseWorlds,
		says: "paused:",
	},
	{
		name: "a directory is not asked for",
		file: "steal/core/victim.go",
		old:  `return s.c.dirOf(s.d, src.job.id, t)`,
		new:  `return ""`,
		test: leaseWorlds,
		says: "directory:",
	},
	{
		name: "a middle does not ask for a directory",
		file: "steal/core/victim.go",
		old:  `return s.c.dirOf(s.d, src.held.id, t)`,
		new:  `return ""`,
		test: leaseWorlds,
		says: "directory",
	},
	{
		name: "any proof is good",
		file: "steal/core/prove.go",
		old:  `case !hmac.Equal(want[:], m.MAC[:]):`,
		new:  `case m.MAC == want && false:`,
		test: leaseTheme("lies"),
		says: "does not have the directory",
	},
	{
		name: "a proof outlives its epoch",
		file: "steal/core/grantor.go",
		old:  `d.offers, d.refusals, d.proofs = nil, nil, nil`,
		new:  `d.offers, d.refusals = nil, nil`,
		test: leaseWorlds,
		says: "has not proven",
	},
	{
		name: "what a guest executes is lost with its node",
		file: "steal/core/attempt.go",
		old:  `if h.own { // whatever`,
		new:  `if false { // whatever`,
		test: coreTest("TestASilentNodeDoesNotRepeatWhatTheGuestRuns"),
		says: "is started",
	},
	{
		name: "a guest's cores are not counted",
		file: "steal/core/holder.go",
		old:  `g.most > 0 && g.runs >= g.most {`,
		new:  `false {`,
		test: leaseWorlds,
		says: "jobs:",
	},
	{
		name: "a guest starts what its node does not hold any more",
		file: "steal/core/guest.go",
		old:  `|| !c.lendable(j, d, p) {`,
		new:  `{`,
		test: coreTest("TestALentPieceMustBeHeld"),
		says: "a cancelled task is started",
	},
	{
		name: "a node starts what its guest keeps from it",
		file: "steal/core/guest.go",
		old:  `return u.guest == nil || c.barred(&h.terms) == ""`,
		new:  `return true`,
		test: coreTest("TestNodeDoesNotStartWhatAGuestKeepsFromIt"),
		says: "runs map",
	},
	{
		name: "a node steals its guest's tasks from others",
		file: "steal/core/holder.go",
		old:  `case c.isGuest(p.Job.Home):`,
		new:  `case false:`,
		test: coreTest("TestANodeGetsItsGuestsTasksFromTheGuest"),
		says: "declines",
	},
	{
		name: "a node stops its guest's runs at a deadline",
		file: "steal/core/lease.go",
		old:  ` && h.terms.fences() && u.guest == nil {`,
		new:  ` && h.terms.fences() {`,
		test: coreTest("TestASilentNodeDoesNotRepeatWhatTheGuestRuns"),
		says: "stops what the guest executes",
	},
}

// fairFaults are about whose task starts next.
var fairFaults = []fault{
	{
		name: "nice does not matter",
		file: "steal/core/tenants.go",
		old:  "\treturn w\n",
		new:  "\treturn w*0 + 1024\n",
		test: coreTest("TestOwnWorkBesidePeers"),
		says: "of the node, want",
	},
	{
		name: "a task pays for one core, however many it has",
		file: "steal/core/tenants.go",
		old:  `Settle(r.turn, ran*time.Duration(r.cores))`,
		new:  `Settle(r.turn, ran)`,
		test: coreTest("TestWideTasksPayForTheirCores"),
		says: "three cores for 100 ms",
	},
	{
		name: "a guest stands among the peers",
		file: "steal/core/tenants.go",
		old:  `if u.guest == nil {`,
		new:  `if true {`,
		test: coreTest("TestGuestsAreTheOwners"),
		says: "not charged to the owner",
	},
}

// thiefFaults are about whom to ask and whom to give.
var thiefFaults = []fault{
	{
		name: "who invites is outbid by who has more",
		file: "steal/core/invite.go",
		old:  "\tt.beliefs[len(t.beliefs)-1].invited = true\n",
		new:  "",
		test: coreTest("TestInvitationIsNotOutbid"),
		says: "of the other home",
	},
	{
		name: "a report of no use takes the outputs of the next",
		file: "steal/outputs.go",
		old:  `if x.came--; x.came > 0 {`,
		new:  `if x.came--; x.came > 99 {`,
		test: check{folder: "steal", run: "TestOutputsThatCameTwice"},
		says: "leaves nothing to the second",
	},
	{
		name: "outputs go with the word that a piece went up",
		file: "steal/run.go",
		old:  `range append(held, core.Span{Lo: p.Hi, Hi: p.Hi}) {`,
		new:  `range append(held[:0], core.Span{Lo: p.Hi, Hi: p.Hi}) {`,
		test: check{folder: "steal", run: "TestRecordedKeepsOutputsOfWhatIsHeld"},
		says: "of what is held are gone",
	},
	{
		name: "a task moves although it starts sooner where it is",
		file: "steal/core/victim.go",
		old:  `if n = min(n, s.sooner(src, e)); n == 0 {`,
		new:  `if n == 0 {`,
		test: coreTest("TestATaskStaysWhereItStartsSooner"),
		says: "round trip 400ms",
	},
	{
		name: "whom a peer without work names is not asked",
		file: "steal/core/thief.go",
		old:  "\tt.recommended(c, m.Ask)\n",
		new:  "",
		test: coreTest("TestWhoHasNothingNamesOthers"),
		says: "picks",
	},
	{
		name: "nothing is asked ahead",
		file: "steal/core/thief.go",
		old:  `ahead = max(ahead, c.aheadOf(u, c.est.of(&h.terms)))`,
		new:  `_ = ahead`,
		test: coreTest("TestWorkGoesBackToWhoLentIt"),
		says: "the thief held",
	},
	{
		name: "a standing offer goes on to say that no core is free",
		file: "steal/core/thief.go",
		old:  `if t.laid != 0 && t.laidBusy && c.free() > 0 {`,
		new:  `if false {`,
		test: check{folder: "steal/core", run: "TestStandingOfferSaysThatACoreIsFree"},
		says: "its last offer is",
	},
	{
		name: "hedges may be of what must not run twice",
		file: "steal/core/hedge.go",
		old:  `out != 1 || j.terms.single() || j.paused`,
		new:  `out != 1 || j.paused`,
		test: leaseWorlds,
		says: "hedge:",
	},
	{
		name: "home does not hedge",
		file: "steal/core/hedge.go",
		old:  `if c.mayHedge(j) {`,
		new:  `if false {`,
		test: coreTest("TestSlowLastTaskIsHedged"),
		says: "no second attempt",
	},
	{
		name: "an invitation is not backed off",
		file: "steal/core/invite.go",
		old:  `v.backoff = min(max(2*v.backoff, inviteEvery), inviteMax)`,
		new:  `v.backoff = inviteEvery`,
		test: coreTest("TestWhoFitsIsInvited"),
		says: "invitations in a minute",
	},
	{
		name: "a stranger's invitation is believed",
		file: "steal/core/invite.go",
		old:  `!ok || surplus <= 0 {`,
		new:  `false && ok || surplus <= 0 {`,
		test: coreTest("TestStrangersInviteNobody"),
		says: "nil pointer dereference", // the world of the test has no such peer
	},
	{
		name: "what nobody asked for is held without a bound",
		file: "steal/core/unasked.go",
		old:  `return unasked && u.unasked()+p.Len() > maxUnasked`,
		new:  `return false`,
		test: coreTest("TestWhatNobodyAskedForIsBounded"),
		says: "that nobody asked for 1000 are held",
	},
	{
		name: "a guest gives what it likes",
		file: "steal/core/unasked.go",
		old:  `if u.guest != nil && u.unstarted()+p.Len() > maxGuest {`,
		new:  `if false {`,
		test: coreTest("TestAGuestIsBoundedWhateverItAnswers"),
		says: "of 9900 tasks",
	},
}

func init() {
	faults["lease"], faults["where"], faults["fair"], faults["thief"] = leaseFaults, whereFaults, fairFaults, thiefFaults
}
