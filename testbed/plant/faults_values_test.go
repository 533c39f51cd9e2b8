package plant

var (
	valueInts   = check{folder: "exec/call", run: "TestAnIntegerIsNeverCutOff"}
	valueBudget = check{folder: "exec/call", run: "TestDecodingTakesBoundedMemory"}
	valueWhere  = check{folder: "exec/call", run: "TestAWrongValueIsAnErrorThatSaysWhere"}
	valueCycle  = check{folder: "exec/call", run: "TestACycleEndsWithAnError"}
	valueTimes  = check{folder: "exec/call", run: "TestTimesComeBackInUTCWithoutTheMonotonicPart"}
	valueTypes  = check{folder: "exec/call", run: "TestTypesThatCannotTravelAreRefusedAtOnce"}
	utsParts    = check{folder: "testbed/uts", run: "TestPartsAreTheWhole"}
	countChunks = check{folder: "examples/wordcount", run: "TestChunksDoNotCutWords"}
)

// valueFaults are in what users' values travel by, and in the examples.
var valueFaults = []fault{
	{
		name: "an integer is cut off to its type",
		file: "exec/call/scalars.go",
		old:  `if !n.negative && n.bits > math.MaxInt64 || v.OverflowInt(int64(n.bits)) {`,
		new:  `if !n.negative && n.bits > math.MaxInt64 {`,
		test: valueInts,
		says: "128 does not fit into int8",
	},
	{
		name: "an unsigned integer takes what is negative",
		file: "exec/call/scalars.go",
		old:  `if n.negative || v.OverflowUint(n.bits) {`,
		new:  `if v.OverflowUint(n.bits) {`,
		test: valueInts,
		says: "-1 does not fit into uint",
	},
	{
		name: "memory is not counted before it is allocated",
		file: "exec/call/decode.go",
		old:  `if size > 0 && n > d.left/size {`,
		new:  `if size > 0 && n > d.left/size && false {`,
		test: valueBudget,
		says: "102400 elements of 512 bytes each",
	},
	{
		name: "a length is believed",
		file: "exec/call/decode.go",
		old:  `if h.n == 0 || h.skip > rest || h.elements > rest {`,
		new:  `if h.n == 0 || h.elements > rest {`,
		test: valueBudget,
		says: "panicked",
	},
	{
		name: "what follows a value is not looked at",
		file: "exec/call/decode.go",
		old:  `if d.at != len(d.b) {`,
		new:  `if d.at > len(d.b) {`,
		test: valueBudget,
		says: "bytes after its end",
	},
	{
		name: "a field may come twice",
		file: "exec/call/fields.go",
		old:  `if came[f.number/64]&bit != 0 {`,
		new:  `if came[f.number/64]&bit == 1<<63 {`,
		test: valueWhere,
		says: "it comes twice",
	},
	{
		name: "the depth of what is written is not followed",
		file: "exec/call/sink.go",
		old:  `if s.depth == MaxDepth {`,
		new:  `if s.depth == MaxDepth && len(s.b) > 1<<10 {`,
		test: valueCycle,
		says: "FAIL",
	},
	{
		name: "a time comes back in the zone of who reads it",
		file: "exec/call/scalars.go",
		old:  `return time.Unix(seconds, int64(nanos)).UTC(), nil`,
		new:  `return time.Unix(seconds, int64(nanos)).In(time.FixedZone("", 3600)), nil`,
		test: valueTimes,
		says: "sent ",
	},
	{
		name: "a struct that hides all its fields travels as nothing",
		file: "exec/call/fields.go",
		old:  `if len(s.list) == 0 && t.NumField() > 0 && t.Size() > 0 {`,
		new:  `if len(s.list) == 0 && t.NumField() > 0 && t.Size() > 1<<20 {`,
		test: valueTypes,
		says: "hides all its fields",
	},
	{
		name: "both sides of a split search the same children",
		file: "testbed/uts/walker.go",
		old:  "\tf.hi -= half\n",
		new:  "\tf.hi -= half - half/2\n",
		test: utsParts,
		says: "the whole is",
	},
	{
		name: "a chunk ends where it is long enough",
		file: "examples/wordcount/count.go",
		old:  `case !inWord(c):`,
		new:  `case inWord(c):`,
		test: countChunks,
		says: "seed 0",
	},
}
