package home

import (
	"errors"
	"fmt"
	"unicode/utf8"
)

// The bounds of a Table.
const (
	MaxTasks      = 1 << 20   // of one job
	MaxAllTasks   = 1 << 22   // of all jobs that are remembered: some 80 bytes each
	MaxJobs       = 4096      // that have not ended
	MaxFinished   = 1024      // ended jobs that are remembered; the oldest are forgotten first
	MaxBody       = 1 << 20   // bytes of one task's arguments
	MaxAllBodies  = 256 << 20 // bytes of arguments of tasks that have no outcome yet
	MaxKept       = 64 << 10  // bytes kept of one stream of one task's output, from its beginning
	MaxAllKept    = 256 << 20 // bytes of output kept in all; the oldest ended jobs lose theirs first
	MaxInFlight   = 1 << 16   // calls that have not returned; more wait
	MaxResult     = 64 << 20  // bytes that a called function may return
	maxReasonText = 4 << 10   // bytes of a failure's reason
)

// ErrTooMany is wrapped by the error for what is beyond a bound.
var ErrTooMany = errors.New("too much")

// ErrEnded says that the table's node has ended, or is about to and takes nothing more.
var ErrEnded = errors.New("the node has ended")

// ErrUnknown says that there is no such job here, or none any more.
var ErrUnknown = errors.New("no such job is known here")

func tooMany(what string, got, most int) error {
	return fmt.Errorf("%w: %s: %d is more than %d", ErrTooMany, what, got, most)
}

// short bounds a reason, without cutting a letter in two.
func short(s string) string {
	if len(s) <= maxReasonText {
		return s
	}
	s = s[:maxReasonText]
	for len(s) > 0 && !utf8.RuneStart(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	return s + "…"
}
