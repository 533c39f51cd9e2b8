package node

import (
	"context"
	"fmt"
	"time"

	"github.com/filchsched/filch/node/control"
)

// Decide implements control.Backend.
func (a api) Decide(ctx context.Context, q control.Deciding) (control.Decision, error) {
	if err := a.up(); err != nil {
		return control.Decision{}, err
	}
	s := Spec{
		Common:   Common{Cores: q.Cores, Memory: q.MemoryBytes, Where: Where{Require: q.Require, On: q.On, Avoid: q.Avoid, Local: q.Local}},
		Function: q.Function, InBytes: q.InBytes, OutBytes: -1, Zones: q.Zones, Energy: q.Energy,
	}
	if q.Command != nil {
		s.Command = &Command{Argv: q.Command.Argv, Line: q.Command.Line}
	}
	if q.OutBytes != nil {
		s.OutBytes = *q.OutBytes
	}
	for _, t := range []struct {
		what    string
		seconds float64
		to      *time.Duration
	}{{"takes", q.TakesSeconds, &s.Takes}, {"deadline", q.DeadlineSeconds, &s.Deadline}} {
		if most := float64(1<<31 - 1); !(t.seconds >= 0 && t.seconds <= most) {
			return control.Decision{}, wrong(fmt.Errorf("%s: %v is not between 0 (none) and %v seconds", t.what, t.seconds, most))
		}
		*t.to = time.Duration(t.seconds * float64(time.Second))
	}
	ask, err := a.node.question(context.WithoutCancel(ctx), &s) // how long a client waits is no deadline of the task
	if err != nil {
		return control.Decision{}, wrong(err)
	}
	d, err := a.node.work.decider.decide(ctx, ask)
	if err != nil {
		return control.Decision{}, wrong(err)
	}
	return d.view(), nil
}

// collect tells how good decisions are.
func (d *decider) collect(m measures) {
	d.mu.Lock()
	a := d.model.Accuracy()
	d.mu.Unlock()
	m.gauge("decision_error_ratio", "By how much the time that a decided task took differed from its median estimate, lately, either way: 0.25 is a factor of 1.25. 0 without reports.", a.Ratio, nil)
}

// decided is how many decisions there were, by level, or "here".
func (d *decider) decided() map[string]uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := make(map[string]uint64, len(d.wheres))
	for where, n := range d.wheres {
		all[where] = n
	}
	return all
}
