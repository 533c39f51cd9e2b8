package plant

const dequeFile = "exec/deque/deque.go"

var (
	dequeGames = check{folder: "exec/deque", run: "TestEachElementIsTakenOnce", tags: "stepper"}
	dequeCalls = check{folder: "exec/deque", run: "TestCallsAreLinearizable", tags: "stepper"}
)

var dequeFaults = []fault{
	{
		name: "Pop without its compare-and-swap",
		file: dequeFile,
		old:  `if t > b || !d.top.CompareAndSwap(t, t+1) {`,
		new:  `d.top.Store(b + 1); if t > b {`,
		test: dequeGames,
		says: "data race on deque.slot",
	},
	{
		name: "Pop looks at top before it announces its intent",
		file: dequeFile,
		old:  "\td.bottom.Store(b)\n\tt := d.top.Load()\n",
		new:  "\tt := d.top.Load()\n\td.bottom.Store(b)\n",
		test: dequeGames,
		says: "data race on deque.slot",
	},
	{
		name: "Pop does not announce its intent",
		file: dequeFile,
		old:  "\td.bottom.Store(b)\n\tt := d.top.Load()\n",
		new:  "\tt := d.top.Load()\n",
		test: dequeGames,
		says: "empty:",
	},
	{
		name: "Pop takes the last element as if thieves could not reach it",
		file: dequeFile,
		old:  `if t < b {`,
		new:  `if t <= b {`,
		test: dequeGames,
		says: "data race on deque.slot",
	},
	{
		name: "Pop gives up when thieves have passed, whoever is first",
		file: dequeFile,
		old:  `if t > b || !d.top.CompareAndSwap(t, t+1) {`,
		new:  `if t >= b {`,
		test: dequeGames,
		says: "LIFO:",
	},
	{
		name: "Steal looks at bottom before top",
		file: dequeFile,
		old:  "\tt := d.top.Load()\n\tif t >= d.bottom.Load() {\n\t\treturn nil, false\n",
		new:  "\tb := d.bottom.Load()\n\tt := d.top.Load()\n\tif t >= b {\n\t\treturn nil, false\n",
		test: dequeGames,
		says: "LIFO:",
	},
	{
		name: "Steal reads the slot before it claims it",
		file: dequeFile,
		old:  "\tif !d.top.CompareAndSwap(t, t+1) {\n\t\treturn nil, true\n\t}\n\ts := d.ring.slot(t)\n\tx = s.take()\n",
		new:  "\ts := d.ring.slot(t)\n\tx = s.take()\n\tif !d.top.CompareAndSwap(t, t+1) {\n\t\treturn nil, true\n\t}\n",
		test: dequeGames,
		says: "data race",
	},
	{
		name: "Steal does not hand the slot back",
		file: dequeFile,
		old:  "\ts.release()\n\treturn x, false\n",
		new:  "\treturn x, false\n",
		test: dequeGames,
		says: "slots:",
	},
	{
		name: "Steal hands the slot back before it has read it",
		file: dequeFile,
		old:  "\tx = s.take()\n\ts.release()\n\treturn x, false\n",
		new:  "\ts.release()\n\tx = s.take()\n\treturn x, false\n",
		test: dequeGames,
		says: "lost:",
	},
	{
		name: "Push does not wait for a thief to hand back the slot",
		file: dequeFile,
		old:  `if !s.free() {`,
		new:  `if d.Len() >= Capacity {`,
		test: dequeGames,
		says: "data race",
	},
	{
		name: "Push publishes before it has written",
		file: dequeFile,
		old:  "\ts.put(x)\n\td.end++\n\td.bottom.Store(d.end)\n",
		new:  "\td.end++\n\td.bottom.Store(d.end)\n\ts.put(x)\n",
		test: dequeGames,
		says: "data race",
	},
	{
		name: "Push refuses the last slot",
		file: dequeFile,
		old:  `if !s.free() {`,
		new:  `if !s.free() || d.Len() == Capacity-1 {`,
		test: dequeGames,
		says: "room:",
	},
	{
		name: "Steal says empty when it has lost a race",
		file: dequeFile,
		old:  `		return nil, true`,
		new:  `		return nil, false`,
		test: dequeCalls,
		says: "linearizable:",
	},
	{
		name: "StealAt takes whatever is the oldest by now",
		file: dequeFile,
		old:  `if t != index || t >= d.bottom.Load() || !d.top.CompareAndSwap(t, t+1) {`,
		new:  `if t < index || t >= d.bottom.Load() || !d.top.CompareAndSwap(t, t+1) {`,
		test: dequeCalls,
		says: "linearizable:",
	},
	{
		name: "StealAt without its compare-and-swap",
		file: dequeFile,
		old:  `if t != index || t >= d.bottom.Load() || !d.top.CompareAndSwap(t, t+1) {`,
		new:  `if d.top.Store(t + 1); t != index || t >= d.bottom.Load() {`,
		test: dequeCalls,
		says: "linearizable:",
	},
	{
		name: "StealAt does not look at bottom",
		file: dequeFile,
		old:  `if t != index || t >= d.bottom.Load() || !d.top.CompareAndSwap(t, t+1) {`,
		new:  `if t != index || !d.top.CompareAndSwap(t, t+1) {`,
		test: dequeCalls,
		says: "data race on deque.slot",
	},
	{
		name: "Oldest does not look at top again",
		file: dequeFile,
		old:  `if d.top.Load() == t {`,
		new:  `if true {`,
		test: dequeCalls,
		says: "linearizable:",
	},
	{
		name: "Empty ignores the last element",
		file: dequeFile,
		old:  "\tt := d.top.Load()\n\treturn t >= d.bottom.Load()\n",
		new:  "\tt := d.top.Load()\n\treturn t+1 >= d.bottom.Load()\n",
		test: dequeCalls,
		says: "linearizable:",
	},
}

const spanFile = "exec/deque/span.go"

var spanShifts = check{folder: "exec/deque", run: "TestEachIndexIsTakenOnce", tags: "stepper"}

var spanFaults = []fault{
	{
		name: "Open does not begin a generation",
		file: spanFile,
		old:  `packSpan(generation+1,`,
		new:  `packSpan(generation,`,
		test: spanShifts,
		says: "once:",
	},
	{
		name: "Open publishes the ends before the body",
		file: spanFile,
		old:  "\ts.body.Store(body)\n\ts.base.Store(lo)\n\ts.word.Store(packSpan(generation+1, uint64(hi-lo), 0))\n",
		new:  "\ts.word.Store(packSpan(generation+1, uint64(hi-lo), 0))\n\ts.body.Store(body)\n\ts.base.Store(lo)\n",
		test: spanShifts,
		says: "once:",
	},
	{
		name: "Next without compare-and-swap",
		file: spanFile,
		old:  `if s.word.CompareAndSwap(w, packSpan(generation, hi, lo+1)) {`,
		new:  `if s.word.Store(packSpan(generation, hi, lo+1)); true {`,
		test: spanShifts,
		says: "once:",
	},
	{
		name: "Close without compare-and-swap",
		file: spanFile,
		old:  `if s.word.CompareAndSwap(w, packSpan(generation, 0, 0)) {`,
		new:  `if s.word.Store(packSpan(generation, 0, 0)); true {`,
		test: spanShifts,
		says: "once:",
	},
	{
		name: "Steal reads the body after it has claimed",
		file: spanFile,
		old:  "\treturn body, base + int64(end-n), base + int64(end), false\n",
		new:  "\tbody, base = s.body.Load(), s.base.Load()\n\treturn body, base + int64(end-n), base + int64(end), false\n",
		test: spanShifts,
		says: "once:",
	},
	{
		name: "Steal takes the low half",
		file: spanFile,
		old:  "packSpan(generation, end-n, begin)) {",
		new:  "packSpan(generation, end, begin+n)) {",
		test: spanShifts,
		says: "once:",
	},
	{
		name: "Steal takes all",
		file: spanFile,
		old:  "n := min((end-begin+1)/2, MaxSpanSteal)",
		new:  "n := min(end-begin, MaxSpanSteal)",
		test: spanShifts,
		says: "linearizable:",
	},
}
