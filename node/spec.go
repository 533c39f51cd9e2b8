package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/steal/core"
	"github.com/filchsched/filch/steal/cost"
)

// A Spec is a task for which Node.Decide looks for a place: a function or a command. Of Common, what says where
// a task may run and what it needs counts.
type Spec struct {
	Common
	Function string   // the name under which it is registered, with its version if it has one
	Command  *Command // instead of a function
	InBytes  int64    // that would travel with it: of a function, its encoded argument
	OutBytes int64    // that would come back; negative: as many as usual
	// Takes is what it takes on a usual core, in the caller's opinion; 0: none. What was seen goes over it.
	Takes time.Duration
	// Deadline is how soon the outcome has to be here, from now. 0: that of the context, if it has one.
	Deadline time.Duration
	// Zones are the values of the label "zone" that a node must have, one of them: the data must not leave them. Nil: anywhere. This
	// node has to be in them, too, if the task is to run here.
	Zones []string
	// Energy is how many seconds of waiting it is worth to save this machine a second of a core at work, as on
	// a battery. 0: none.
	Energy float64
}

// question puts a Spec into the words of the cost model, or says what is wrong with it.
func (n *Node) question(ctx context.Context, s *Spec) (a cost.Ask, err error) {
	a = cost.Ask{
		Function: s.Function, Kind: task.KindFunc, In: s.InBytes, Out: s.OutBytes, Hint: s.Takes, Deadline: s.Deadline,
		Zones: s.Zones, Energy: s.Energy,
	}
	switch {
	case (s.Function == "") == (s.Command == nil):
		return a, errors.New("a decision is about a function or a command: name one of them")
	case s.InBytes < 0 || s.Takes < 0 || s.Deadline < 0 || !(s.Energy >= 0 && s.Energy <= maxEnergy):
		return a, fmt.Errorf("in bytes, takes and deadline are not negative, and energy is between 0 and %v", float64(maxEnergy))
	case len(s.Zones) > maxNamed:
		return a, fmt.Errorf("zones: %d are more than %d", len(s.Zones), maxNamed)
	}
	if s.Command != nil {
		a.Function, a.Kind = program(*s.Command), task.KindProc
	} else {
		a.Hash, a.NotHere = core.FunctionHash(s.Function), n.functions.Lookup(s.Function) == nil
	}
	t, err := n.terms(&s.Common)
	if err != nil {
		return a, err
	}
	a.Needs, a.Local, a.Require = t.Needs, t.Where.Local, t.Where.Require
	a.On, a.Avoid = plainIDs(t.Where.On), plainIDs(t.Where.Avoid)
	if at, ok := ctx.Deadline(); ok && a.Deadline == 0 {
		a.Deadline = max(time.Until(at), 1)
	}
	return a, context.Cause(ctx)
}

// maxEnergy bounds Spec.Energy: a second of a core is not worth a quarter of an hour of waiting.
const maxEnergy = 1000

func plainIDs(list []core.PeerID) []string {
	if len(list) == 0 {
		return nil
	}
	plain := make([]string, len(list))
	for k, p := range list {
		plain[k] = string(p)
	}
	return plain
}
