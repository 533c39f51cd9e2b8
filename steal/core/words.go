package core

import (
	"fmt"
	"time"

	"github.com/filchsched/filch/exec/task"
)

// A PeerID names a process of the cluster for as long as it keeps its identity
// on disk; a process without a disk has a fresh one at each start.
type PeerID string

// A JobID names a job for ever: a home never uses a number twice, because the
// upper half is its incarnation.
type JobID struct {
	Home PeerID
	Seq  uint64 // incarnation<<32 | count within the incarnation
}

func (j JobID) String() string { return fmt.Sprintf("%s/%d.%d", j.Home, j.Seq>>32, uint32(j.Seq)) }

// A Span is the half-open interval of task indices [Lo, Hi) of one job.
type Span struct{ Lo, Hi uint64 }

// Len is the number of indices in s.
func (s Span) Len() uint64 { return s.Hi - s.Lo }

func (s Span) String() string {
	if s.Len() == 1 {
		return fmt.Sprint(s.Lo)
	}
	return fmt.Sprintf("%d-%d", s.Lo, s.Hi-1)
}

// meet is the part that s and o share; ok is false when there is none.
func (s Span) meet(o Span) (both Span, ok bool) {
	both = Span{max(s.Lo, o.Lo), min(s.Hi, o.Hi)}
	return both, both.Lo < both.Hi
}

// within tells whether s lies inside o.
func (s Span) within(o Span) bool { return o.Lo <= s.Lo && s.Hi <= o.Hi }

// Attempt is the fencing token of one try at the tasks of a span. Numbers are
// counted per job and incarnation of its home, and never issued twice.
type Attempt = task.Attempt

// A Piece is a span of a job under one attempt: what grants, claims, ends and
// outcomes speak about.
type Piece struct {
	Job JobID
	Span
	Attempt Attempt
}

func (p Piece) String() string {
	return fmt.Sprintf("%v[%v]/%d.%d", p.Job, p.Span, p.Attempt.Incarnation, p.Attempt.N)
}

// Terms are what a holder has to know about a job in order to lease its tasks.
// What to run travels on the data stream and is no business of this package.
type Terms struct {
	Name       string // of the registered function, or the command's program: what estimates are kept by
	Kind       task.Kind
	Idempotent bool          // two copies of a command may run at the same time
	Keep       bool          // a command outlives the lease of the node that runs it (--cut-off=keep)
	Durable    bool          // home journals accepts, commits and cancels
	Retries    uint8         // failures of a task that are tried again
	CrashLimit uint8         // charged losses after which a task has failed; 0 means defaultCrashLimit
	Estimate   time.Duration // run time of one task, as far as home knows; 0 when it does not
	Needs      task.Resources
	Nice       int8   // −20..19, within its home
	InBytes    uint32 // of one task's arguments, as far as home knows
	OutBytes   uint32 // of one task's result
	Where      Where
	Child      bool // running tasks may wait for these: they start before other own work, and in its place (slack.go)
}

// Where bounds where the tasks of a job may run. The zero value is: anywhere.
// Slices are read-only and shared.
type Where struct {
	Require    []string // labels, "key=value" each, that a peer must have, all of them
	On         []PeerID // nobody else runs them; empty: anybody
	Avoid      []PeerID
	Local      bool   // only the home, or the node that it is a guest of
	MaxRunning uint32 // at once, everywhere together; 0: no bound
	Dir        *Dir   // the working directory that a peer has to prove before it gets one; nil: none
}

// Dir is a directory and what proves that a peer has the same one: a file in it
// that holds a secret.
type Dir struct {
	Path  string // absolute
	File  string // name of the file in it
	Nonce [32]byte
}

// String keeps the secret.
func (d *Dir) String() string { return d.Path }

// fences tells whether two copies of a task could do harm, so that a holder
// which is cut off stops it and its grantor waits until the lease has run out.
func (t *Terms) fences() bool { return t.Kind == task.KindProc && !t.Keep }

// single tells whether the task must never run twice at the same time.
func (t *Terms) single() bool { return t.fences() && !t.Idempotent }

// defaultCrashLimit is HyperQueue's, too.
const defaultCrashLimit = 5

func (t *Terms) crashLimit() uint8 {
	if t.CrashLimit == 0 {
		return defaultCrashLimit
	}
	return t.CrashLimit
}

// Limits of the protocol. Times are those of the design; grantor and holder need
// not agree on them exactly, since every acknowledgement says what it grants.
const (
	// LeaseTTL is how long a grantor waits for a sign of life, from the last one.
	LeaseTTL = 10 * time.Second
	// HolderTTL is how long a holder may run what it was granted, from when it
	// sent the heartbeat that was acknowledged. The difference pays for clocks
	// that run differently and for commands that take a moment to die.
	HolderTTL = 7 * time.Second
	// BeatEvery is the pace of heartbeats of a holder that holds something.
	BeatEvery = time.Second
	// idleBeatEvery is the pace while only a standing offer is out: as rare as keeps
	// the lease ready, so that what it brings starts without a round trip. That a peer
	// has gone is heard sooner, from its connection and from gossip.
	idleBeatEvery = 4 * time.Second
	// ackPatience is how old a heartbeat without answer gets before the holder
	// dials anew: three lost seconds leave four for a second try.
	ackPatience = 3 * time.Second
	// redialMin and redialMax bound the back-off of reconnects.
	redialMin = 50 * time.Millisecond
	redialMax = 2 * time.Second
	// giveUpAfter is how long work outlives a home that is silent.
	giveUpAfter = 10 * time.Minute
	// lateAfter is how late a step may be before the node counts as having been
	// frozen: a quarter lease.
	lateAfter = LeaseTTL / 4
	// maxDepth bounds the tree of leases.
	maxDepth = 4
	// maxClaims bounds the claims in one frame: at about 100 bytes each they
	// stay below 64 KiB.
	maxClaims = 500
	// maxParts bounds the spans of one grant, by the same reckoning.
	maxParts = 256
	// maxReport bounds outcomes and ends in one frame.
	maxReport = 256
	// minLeft is the shortest lease worth handing down: what has less left is
	// not sub-granted.
	minLeft = 2 * time.Second
	// startLeft is the shortest lease under which a command is worth a start that the
	// end of the lease would stop: the next acknowledgement is under way.
	startLeft = BeatEvery
)
