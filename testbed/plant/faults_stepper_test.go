package plant

var (
	stepperClasses = check{folder: "exec/stepper", run: "TestReductionMeetsEachClassOnce|TestLockersAndWaiters"}
	stepperKnown   = check{folder: "exec/stepper", run: "TestPlainAccessesMustNotRace|TestOldValuesDoNotPublish|TestLostWakeUpIsADeadlock"}
)

var stepperFaults = []fault{
	{
		name: "who sleeps is not woken by a step that conflicts",
		file: "exec/stepper/search.go",
		old:  `if !x.threads[id].next.conflictsWith(&step) {`,
		new:  `if step.on != nil {`,
		test: stepperClasses,
		says: "but the reduced search met",
	},
	{
		name: "who waits is not compared with older states",
		file: "exec/stepper/reduce.go",
		old:  `if reversible = o.possible(e.before); reversible {`,
		new:  `if reversible = true; reversible {`,
		test: stepperClasses,
		says: "but the reduced search met",
	},
	{
		name: "steps on one variable are all taken as ordered by the threads",
		file: "exec/stepper/reduce.go",
		old:  `if t.seen[e.chosen] < e.seen[e.chosen] {`,
		new:  `if t.seen[e.chosen]+1 < e.seen[e.chosen] {`,
		test: stepperClasses,
		says: "but the reduced search met",
	},
	{
		name: "a plain access counts as ordered by the step before it",
		file: "exec/stepper/race.go",
		old:  `h.plainWrites[t.id] = t.sync[t.id] + 1`,
		new:  `h.plainWrites[t.id] = t.sync[t.id]`,
		test: stepperKnown,
		says: "want a failure",
	},
	{
		name: "who is left waiting is not reported",
		file: "exec/stepper/search.go",
		old:  `if !t.daemon {`,
		new:  `if t.id > 8 {`,
		test: stepperKnown,
		says: "want a failure",
	},
}
