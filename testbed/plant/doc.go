// Package plant tests the tests: it plants faults into the product, one at a
// time, and requires that a test named beforehand finds each of them and says
// which invariant is broken. A check that nobody has seen fail proves little.
//
// A fault is a small diff: a file, a piece of its text that occurs exactly once,
// and what stands there instead. The file itself is not touched; the go command
// builds the test with the changed text by its -overlay flag. When the text of
// the product moves on, the fault that no longer matches fails the run, and
// whoever changed the text says anew what the fault is.
//
// To add one, append to the table of its area, in faults_AREA_test.go:
//
//	{
//		name: "Pop without its compare-and-swap",
//		file: "exec/deque/deque.go",
//		old:  `if t > b || !d.top.CompareAndSwap(t, t+1) {`,
//		new:  `if t > b {`,
//		test: dequeGames,
//		says: "once:",
//	},
//
// says is part of what the failing test must print: faults that are found by
// accident, by a crash or by another check, do not count.
//
// Rejected: mutation testing, which changes operators at random and counts what
// survives. Most such mutants are found by any test at all, and those that
// survive must be judged one by one; the faults here are those that somebody would make.
package plant
