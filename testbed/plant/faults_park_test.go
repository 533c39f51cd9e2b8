package plant

const (
	crewFile  = "exec/park/crew_stepper_test.go"
	stackFile = "exec/park/stack_stepper_test.go"
	unitsFile = "exec/park/units_stepper_test.go"
	joinFile  = "exec/park/join_stepper_test.go"
)

var (
	parkWakes = check{folder: "exec/park", run: "TestNoWakeUpIsLost", tags: "stepper"}
	parkMoves = check{folder: "exec/park", run: "TestStacksChangeJobsAndPlaces", tags: "stepper"}
	parkEnds  = check{folder: "exec/park", run: "TestAJobEndsOnceAndNotTooEarly", tags: "stepper"}
	parkJoins = check{folder: "exec/park", run: "TestAJoinGetsItsResultAndAWorker", tags: "stepper"}
)

var parkFaults = []fault{
	{
		name: "Vacate does not look again",
		file: "exec/park/presence.go",
		old:  "\tif empty() {\n",
		new:  "\tif true {\n",
		test: parkWakes,
		says: "stranded:",
	},
	{
		name: "Vacate looks before it clears",
		file: "exec/park/presence.go",
		old:  "\tp.Clear(place)\n\tif empty() {\n",
		new:  "\tif empty() {\n\t\tp.Clear(place)\n",
		test: parkWakes,
		says: "stranded:",
	},
	{
		name: "what Vacate finds is not announced",
		file: "exec/park/presence.go",
		old:  `return false, p.Mark(place)`,
		new:  `return false, p.Mark(place) && false`,
		test: parkWakes,
		says: "stranded:",
	},
	{
		name: "Mark is not told who was first",
		file: "exec/park/presence.go",
		old:  `return w.Or(m)&m == 0`,
		new:  `return w.Or(m)&m != 0`,
		test: parkWakes,
		says: "stranded:",
	},
	{
		name: "Wake does not count the searcher",
		file: "exec/park/lot.go",
		old:  "\tif w, ok = l.Pop(); ok {\n\t\tl.searching++\n\t}\n\treturn w, ok\n",
		new:  "\treturn l.Pop()\n",
		test: parkWakes,
		says: "searching:",
	},
	{
		name: "EndSearch does not count",
		file: "exec/park/lot.go",
		old:  `{ l.searching-- }`,
		new:  `{}`,
		test: parkWakes,
		says: "searching:",
	},
	{
		name: "a push marks first",
		file: stackFile,
		old:  "\tif !c.dq.Push(k) {\n\t\tc.run(k)\n\t\treturn\n\t}\n\tif c.bit.Load()&c.mask == 0 {\n\t\tc.mark()\n\t}\n",
		new:  "\tif c.bit.Load()&c.mask == 0 {\n\t\tc.mark()\n\t}\n\tif !c.dq.Push(k) {\n\t\tc.run(k)\n\t}\n",
		test: parkWakes,
		says: "stranded:",
	},
	{
		name: "a job is announced before its place is marked",
		file: stackFile,
		old:  "\tif j.present.Mark(c.place) {\n\t\tc.e.announce(j)\n\t}\n",
		new:  "\tc.e.announce(j)\n\tj.present.Mark(c.place)\n",
		test: parkWakes,
		says: "stranded:",
	},
	{
		name: "a submission is announced before it is marked",
		file: stackFile,
		old:  "\tannounce := !j.present.Marked(inboxPlace) && j.present.Mark(inboxPlace)\n\tj.in.mu.Unlock()\n\tif announce {\n\t\tj.e.announce(j)\n\t}\n",
		new:  "\tj.in.mu.Unlock()\n\tj.e.announce(j)\n\tj.present.Mark(inboxPlace)\n",
		test: parkWakes,
		says: "listing:",
	},
	{
		name: "the inbox is cleared outside its lock",
		file: stackFile,
		old:  "\tj.in.mu.Lock()\n\tdefer j.in.mu.Unlock()\n\tif len(j.in.tasks) == 0 {\n\t\treturn nil\n\t}\n",
		new:  "\tj.in.mu.Lock()\n\tdefer func() {\n\t\tif last := len(j.in.tasks) == 0; last {\n\t\t\tj.in.mu.Unlock()\n\t\t\tj.present.Clear(inboxPlace)\n\t\t} else {\n\t\t\tj.in.mu.Unlock()\n\t\t}\n\t}()\n\tif len(j.in.tasks) == 0 {\n\t\treturn nil\n\t}\n",
		test: parkWakes,
		says: "stranded:",
	},
	{
		name: "sleep is decided outside the lock",
		file: crewFile,
		old:  "\t\t\te.endSearch(w)\n\t\t\te.sleep(w)\n",
		new:  "\t\t\te.endSearch(w)\n\t\t\te.spin()\n\t\t\te.sleep(w)\n",
		test: parkWakes,
		says: "stranded:",
	},
	{
		name: "a searcher sleeps without looking once more",
		file: crewFile,
		old:  "\t\t\tspun = true\n\t\t\te.spin()\n",
		new:  "\t\t\te.spin()\n\t\t\te.endSearch(w)\n\t\t\te.sleep(w)\n",
		test: parkWakes,
		says: "stranded:",
	},
	{
		name: "who finds work does not wake the next",
		file: crewFile,
		old:  `if others > 0 || w.job.present.Any() {`,
		new:  `if others > 0 {`,
		test: parkWakes,
		says: "stranded:",
	},
	{
		name: "who finds work forgets the other jobs",
		file: crewFile,
		old:  `if others > 0 || w.job.present.Any() {`,
		new:  `if w.job.present.Any() {`,
		test: parkWakes,
		says: "stranded:",
	},
	{
		name: "who takes a turn does not count as a searcher",
		file: crewFile,
		old:  "\tif e.lot.Idle() > 0 {\n\t\te.beginSearch(w)\n\t}\n",
		new:  "\te.endSearch(w)\n",
		test: parkWakes,
		says: "stranded:",
	},
	{
		name: "a job leaves the line without a look at its presence",
		file: crewFile,
		old:  `if !found && !j.present.Any() {`,
		new:  `if !found {`,
		test: parkWakes,
		says: "stranded:",
	},
	{
		name: "a stack changes jobs while thieves visit it",
		file: stackFile,
		old:  "\tc.visitors.Await(func(n int32) bool { return n == 0 })\n",
		new:  "",
		test: parkMoves,
		says: "mixed up:",
	},
	{
		name: "thieves do not say that they visit",
		file: stackFile,
		old:  `if len(c.e.jobs) > 1 {`,
		new:  `if len(c.e.jobs) > 2 {`,
		test: parkMoves,
		says: "mixed up:",
	},
	{
		name: "a place without a stack is cleared without a second look",
		file: stackFile,
		old:  "\tif v == nil {\n\t\tc.vacate(j, place)\n",
		new:  "\tif v == nil {\n\t\tj.present.Clear(place)\n",
		test: parkMoves,
		says: "stranded:",
	},
	{
		name: "a thief becomes a unit after it has stolen",
		file: unitsFile,
		old:  "\ta.units.Add(1)\n\tif k, _ := d.Steal(); k != nil {\n\t\ta.run(k)\n\t}\n\ta.unitDone()\n",
		new:  "\tif k, _ := d.Steal(); k != nil {\n\t\ta.units.Add(1)\n\t\ta.run(k)\n\t\ta.unitDone()\n\t}\n",
		test: parkEnds,
		says: "over:",
	},
	{
		name: "a task leaves the inbox before it is a unit",
		file: unitsFile,
		old:  "\tdefer a.mu.Unlock()\n\tif a.queued == 0 {\n\t\treturn false\n\t}\n\ta.queued--\n",
		new:  "\tif a.queued == 0 {\n\t\ta.mu.Unlock()\n\t\treturn false\n\t}\n\ta.queued--\n\ta.mu.Unlock()\n",
		test: parkEnds,
		says: "over:",
	},
	{
		name: "a waiting stack lets go of its worker too late",
		file: joinFile,
		old:  "\t\tr.worker.Write(0) // whoever finishes may resume the stack at once\n\t\tif r.state.CompareAndSwap(pending, awaited) {\n",
		new:  "\t\tif r.state.CompareAndSwap(pending, awaited) {\n\t\t\tr.worker.Write(0)\n",
		test: parkJoins,
		says: "data race",
	},
	{
		name: "a child is done before its result is there",
		file: joinFile,
		old:  "\tr.result.Write(7)\n\tif r.state.Swap(done) == awaited {\n",
		new:  "\twas := r.state.Swap(done)\n\tr.result.Write(7)\n\tif was == awaited {\n",
		test: parkJoins,
		says: "data race",
	},
}
