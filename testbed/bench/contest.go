package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/filchsched/filch/testbed/uts"
)

// errWrong marks a result that is wrong, as opposed to a contender that could
// not run.
var errWrong = errors.New("wrong result")

func wrong(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errWrong, fmt.Sprintf(format, args...))
}

// A contest is one program given to several contenders.
type contest struct {
	key        string // for -only, and the name in machine-readable output
	title      string
	unit       string // what one operation is
	operations int    // in one lap, to turn a time into ns per operation
	contenders []contender
	goals      func(standing) []goal // nil if there is nothing to reach
}

// A contender is one way to run the program of a contest.
type contender struct {
	name   string
	filch  bool   // one of ours: the ratios refer to the first such contender
	aside  bool   // a different program, shown for proportion; no goal counts it
	config string // the configuration it runs in, for the reader

	bound bool // nobody's, but arithmetic

	// elsewhere says that others do all the work, so that what this process allocates means nothing.
	elsewhere bool

	// missing says why it cannot take part; empty if it can.
	missing string

	// run sets up, times laps on the clock until it wants no more, checks
	// results and tears down.
	run func(ctx context.Context, c *clock) error
}

// settings are what the command line can change.
type settings struct {
	Workers int
	Rounds  int           // measured ones; one more is run first and dropped
	Fib     int           // argument of the fork-join contest
	Tasks   int           // of the submission contests
	Tree    string        // of the search contest: flags or the name of a published tree
	Lines   int           // of the contests with commands
	Limit   time.Duration // of one contender's turn, a guard against hanging

	// What is found out once, before the first round.
	Count uts.Count  // of Tree
	TBB   tbbProgram // the C++ rival
	Tools tools      // programs
	Files fileJob
}
