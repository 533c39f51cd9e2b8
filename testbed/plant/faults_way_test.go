package plant

// wayFaults are about asking by way of near ones.
var wayFaults = []fault{
	{
		name: "everybody asks the source itself",
		file: "steal/core/way.go",
		old:  `if t.tries >= triesBeforeQuiet-1 && c.rng.IntN(len(c.near.members)) < 2*wayFan {`,
		new:  `if t.tries >= 0 {`,
		test: coreTest("TestTheWayLeadsToTheSource"),
		says: "ask p",
	},
	{
		name: "a middle asks for nobody else",
		file: "steal/core/thief.go",
		old:  `more = c.kept()`,
		new:  `more = demand{}`,
		test: coreTest("TestOneAsksForMany"),
		says: "runs 0 tasks on 2 cores",
	},
	{
		name: "an offer is kept for ever",
		file: "steal/core/way.go",
		old:  `keepFor    = 500 * time.Millisecond`,
		new:  `keepFor    = 500 * time.Second`,
		test: coreTest("TestAKeptOfferIsAnswered"),
		says: "silent true: no answer after",
	},
	{
		name: "an offer is kept when its middle has asked in vain",
		file: "steal/core/way.go",
		old:  `|| t.tries > 0 ||`,
		new:  `||`,
		test: coreTest("TestNothingIsKeptAfterATryInVain"),
		says: "after 1 tries in vain",
	},
	{
		name: "those who wait for each other are a circle",
		file: "steal/core/way.go",
		old:  `if ask == d.peer || !before(source, c.cfg.ID, d.peer) {`,
		new:  `if source == "" {`,
		test: coreTest("TestNobodyKeepsForWhoIsAskedBefore"),
		says: "keeps the speaker's offer",
	},
	{
		name: "who invites is asked by way of others",
		file: "steal/core/way.go",
		old:  `case !c.crowded(), ok && best.invited:`,
		new:  `case !c.crowded():`,
		test: coreTest("TestWhoInvitesIsAskedItself"),
		says: "for the work of",
	},
	{
		name: "a leaf of the tree of leases asks for others",
		file: "steal/core/way.go",
		old:  `if ask == t.feeder && t.fedDepth >= maxDepth {`,
		new:  `if false {`,
		test: coreTest("TestWhatCannotBeLentOnIsAskedForByNobodyElse"),
		says: "fed at depth 4",
	},
	{
		name: "a middle forgets what it gathers until there is more",
		file: "steal/core/middle.go",
		old:  "\tc.alarm(at)\n\treturn true\n",
		new:  "\treturn true\n",
		test: coreTest("TestAMiddleGathersOutcomes"),
		says: "flush: something for home was not sent",
	},
}

func init() { faults["way"] = wayFaults }
