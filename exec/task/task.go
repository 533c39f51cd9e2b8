// Package task holds the words of filch as plain types: what a task is, what
// it needs, what it ended in. It is pure: no clock, no operating system, no
// goroutine.
package task

import (
	"fmt"
	"strings"
	"time"
)

// A Kind names the runtime that executes a task.
type Kind string

// The kinds this build knows.
const (
	KindFunc Kind = "func" // a registered Go function
	KindProc Kind = "proc" // an operating-system command
)

// An ID names a task within its job: the sequence number of its submission,
// counted from 1.
type ID uint64

// An Attempt is one try at a task, ordered by (Incarnation, N). It is never
// issued twice, which makes it the fencing token of the task.
type Attempt struct {
	Incarnation uint64 // of the home that issued it
	N           uint32 // counted from 1 within the incarnation
}

// Before reports whether a was issued before b.
func (a Attempt) Before(b Attempt) bool {
	if a.Incarnation != b.Incarnation {
		return a.Incarnation < b.Incarnation
	}
	return a.N < b.N
}

// Resources is what a task holds while it runs. The zero value means one core
// and no declared memory.
type Resources struct {
	Cores  int   // whole cores; 0 means 1
	Memory int64 // bytes; 0 means undeclared
}

// CoresOrOne returns the cores that r asks for, at least one.
func (r Resources) CoresOrOne() int { return max(1, r.Cores) }

// String renders r for people: "2 cores, 512 MiB".
func (r Resources) String() string {
	var b strings.Builder
	n := r.CoresOrOne()
	fmt.Fprintf(&b, "%d core", n)
	if n != 1 {
		b.WriteByte('s')
	}
	if r.Memory > 0 {
		fmt.Fprintf(&b, ", %d MiB", (r.Memory+(1<<20)-1)>>20)
	}
	return b.String()
}

// A State is what a task ended in.
type State uint8

// The ends of a task.
const (
	Done      State = iota + 1 // ran and succeeded
	Failed                     // ran and failed, or could not be started
	Cancelled                  // its job was cancelled before it committed
)

func (s State) String() string {
	switch s {
	case Done:
		return "done"
	case Failed:
		return "failed"
	case Cancelled:
		return "cancelled"
	}
	return fmt.Sprintf("State(%d)", uint8(s))
}

// Usage is what running a task took.
type Usage struct {
	User      time.Duration // CPU time in user mode
	System    time.Duration // CPU time in the kernel
	MaxMemory int64         // peak resident set, bytes; 0 where it is not known
}

// An Outcome is what a task ended in.
type Outcome struct {
	State  State
	Exit   int   // exit code of a command; 0 where there is none
	Signal int   // number of the signal that ended a command; 0 where none did
	Err    error // why it failed, for people; nil when done
	Wall   time.Duration
	Usage  Usage
	Output []byte // what a function returned, encoded; nil for commands
}

// A Spec is a task as a runtime gets it.
type Spec struct {
	ID      ID
	Attempt Attempt
	Kind    Kind
	Needs   Resources
	// Body is what to run, of the type that the kind's runtime documents:
	// proc.Command, call.Call.
	Body any
}
