package cost

import (
	"slices"
	"time"

	"github.com/filchsched/filch/exec/task"
)

// An Ask is a task for which a place is looked for. Slices are only read, and only during the call.
type Ask struct {
	Function string // name, with the version if there is one; of a command, the program
	Hash     uint32 // of a function's name, as Peer.Functions has them; 0: unknown
	Kind     task.Kind
	In       int64         // bytes of its input that would have to travel
	Out      int64         // bytes of its result; −1: what it usually is
	Hint     time.Duration // what it takes on a usual core, in the caller's opinion; 0: none. Samples go over it
	Deadline time.Duration // from now, for the outcome to be here; 0: none
	Needs    task.Resources
	Local    bool     // here or nowhere
	NotHere  bool     // this node does not know the function
	Zones    []string // the data must not leave these; this node counts by its own zone, too. nil: anywhere
	Require  []string // labels, "key=value"
	On       []string // IDs; nobody else
	Avoid    []string // IDs
	// Energy is how many seconds of waiting a second of this machine's core at work is worth. A line at work counts
	// RadioShare of that.
	Energy float64
}

// RadioShare is what sending and receiving take of the power of a core at work.
const RadioShare = 0.3

// Why a peer is not a candidate.
const (
	RejectedLocal    = "the task stays here"
	RejectedOn       = "not among the nodes that are named"
	RejectedAvoid    = "to be avoided"
	RejectedZone     = "outside of the zones that the data may be in"
	RejectedLabel    = "lacks a label that is required"
	RejectedKind     = "does not run such tasks for others"
	RejectedMemory   = "has too little memory"
	RejectedCores    = "has too few cores"
	RejectedFunction = "is not known to have this function"
	RejectedUnknown  = "has no such function registered"
	RejectedDeadline = "would probably miss the deadline"
)

// rejects says why the task cannot be placed at a peer; empty: it can. t is its track there, or nil.
func (a *Ask) rejects(p *peer, t *track) string {
	switch {
	case p.Away != "":
		return p.Away
	case a.Local && !p.Self:
		return RejectedLocal
	case len(a.On) > 0 && !slices.Contains(a.On, p.ID):
		return RejectedOn
	case slices.Contains(a.Avoid, p.ID):
		return RejectedAvoid
	case a.Zones != nil && !slices.Contains(a.Zones, p.Zone):
		return RejectedZone
	case slices.ContainsFunc(a.Require, func(l string) bool { return !slices.Contains(p.Labels, l) }):
		return RejectedLabel
	case p.Memory > 0 && a.Needs.Memory > p.Memory:
		return RejectedMemory
	case p.Cores > 0 && a.Needs.CoresOrOne() > p.Cores:
		return RejectedCores
	case p.Self && a.NotHere:
		return RejectedUnknown
	case p.Self:
		return ""
	case !slices.Contains(p.Kinds, a.Kind):
		return RejectedKind
	case a.Kind == task.KindFunc && !p.Knows && t == nil && (a.Hash == 0 || !slices.Contains(p.Functions, a.Hash)):
		return RejectedFunction
	}
	return ""
}
