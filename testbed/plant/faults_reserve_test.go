package plant

// reserveFaults are of tasks that need several cores or memory, and of the room that is kept for them.
var reserveFaults = []fault{
	{
		name: "nobody reserves",
		file: "steal/core/reserve.go",
		old:  "\t\tc.tenants.reserved = x\n",
		new:  "",
		test: coreTest("TestAWideTaskStartsBesideNarrowOnes"),
		says: "of 2 cores: after 100",
	},
	{
		name: "a peer's task does not reserve",
		file: "steal/core/reserve.go",
		old:  `if x.up.canStart() == 0 || `,
		new:  `if x.up != nil || `,
		test: coreTest("TestAPeersWideTaskStartsBesideNarrowOnes"),
		says: "of the owner's",
	},
	{
		name: "what is reserved is offered to peers",
		file: "steal/core/slack.go",
		old:  `if c.overlent() || c.collects() {`,
		new:  `if c.overlent() {`,
		test: coreTest("TestWhatIsReservedIsOfferedToNobody"),
		says: "are free",
	},
	{
		name: "cores are kept for what cannot start any more",
		file: "steal/core/reserve.go",
		old:  `c.tenants.reserved == nil || c.wantsRoom(c.tenants.reserved) {`,
		new:  `true {`,
		test: coreTest("TestAReservationEndsWithWhatItIsFor"),
		says: "reserved: cores are kept",
	},
	{
		name: "cores are kept for what a peer has taken",
		file: "steal/core/core.go",
		old:  `for c.endReservation() { // a peer has it, or`,
		new:  `for false { // a peer has it, or`,
		test: coreTest("TestAReservationEndsWithWhatItIsFor"),
		says: "reserved: cores are kept",
	},
	{
		name: "cores are kept beyond a lease",
		file: "steal/core/reserve.go",
		old:  `if c.leased(x.up, x.held, q) && (`,
		new:  `if (`,
		test: coreTest("TestAReservationEndsWithItsLease"),
		says: "the reservation is of",
	},
	{
		name: "memory is not summed",
		file: "steal/core/core.go",
		old:  "\tc.memory += r.memory\n",
		new:  "",
		test: coreTest("TestMemoryOfRunningTasksIsSummed"),
		says: "tasks of 40 run in 100",
	},
	{
		name: "the memory of what has ended is held for ever",
		file: "steal/core/core.go",
		old:  "\tc.memory -= r.memory\n",
		new:  "",
		test: leaseWorlds, // seed 5
		says: "ends:",
	},
	{
		name: "a core is free, and so is memory",
		file: "steal/core/slack.go",
		old:  `c.reservedFrom(t) || !c.memoryFree(t) || `,
		new:  `c.reservedFrom(t) || `,
		test: leaseWorlds, // seed 5
		says: "memory:",
	},
	{
		name: "memory is not kept for who waits for it",
		file: "steal/core/reserve.go",
		old:  ` && (c.collects() || memoryOf(t) > 0)`,
		new:  ` && c.collects()`,
		test: coreTest("TestMemoryOfRunningTasksIsSummed"),
		says: "much starts after",
	},
	{
		name: "a child waits for what its parent holds",
		file: "steal/core/reserve.go",
		old:  ` || t.Child && c.inUse() == 0`,
		new:  ``,
		test: coreTest("TestAChildPassesReservations"),
		says: "memory that its parents hold",
	},
	{
		name: "children wait for a reservation",
		file: "steal/core/reserve.go",
		old:  `for c.inUse() < c.cores && c.childFirst(x) {`,
		new:  `for false {`,
		test: coreTest("TestAChildPassesReservations"),
		says: "the child does not pass",
	},
}

func init() { faults["reserve"] = reserveFaults }
