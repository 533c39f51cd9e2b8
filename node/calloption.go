package node

import (
	"fmt"
	"time"

	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/steal/core"
)

// A CallOption says how, or where, a call runs.
type CallOption func(*callOptions)

type callOptions struct {
	Common
	timeout   time.Duration
	inFlight  int
	zones     []string
	energy    float64
	asTheyEnd bool
}

// Timeout bounds how long a call may take from now on, queueing included. The deadline travels with the call, and ends its
// children, too. Not positive: no bound.
func Timeout(d time.Duration) CallOption { return func(o *callOptions) { o.timeout = d } }

// Retries has a function that fails tried again up to n times, elsewhere if that is possible. A panic is a failure, too. That a
// node is lost is none, and costs none.
func Retries(n int) CallOption { return func(o *callOptions) { o.Retries = n } }

// Require names labels that a node must have to run the call, "key=value" each.
func Require(labels ...string) CallOption {
	return func(o *callOptions) { o.Where.Require = append(o.Where.Require, labels...) }
}

// At has the call run at one of these nodes only, by name or peer ID.
func At(nodes ...string) CallOption {
	return func(o *callOptions) { o.Where.On = append(o.Where.On, nodes...) }
}

// Avoid keeps the call away from nodes, by name or peer ID.
func Avoid(nodes ...string) CallOption {
	return func(o *callOptions) { o.Where.Avoid = append(o.Where.Avoid, nodes...) }
}

// Local keeps the call on the node that it is given to.
func Local() CallOption { return func(o *callOptions) { o.Where.Local = true } }

// Weight is the nice value of the call among others of its node, from -20 to 19: each step is worth a factor of 1.25.
func Weight(nice int) CallOption { return func(o *callOptions) { o.Nice = nice } }

// Cores is how many cores the function holds while it runs; 0 is one.
func Cores(n int) CallOption { return func(o *callOptions) { o.Cores = n } }

// Memory is how many bytes the function may use; nodes with less do not run it.
func Memory(bytes int64) CallOption { return func(o *callOptions) { o.Memory = bytes } }

// MaxInFlight bounds how many calls of a Map are under way at once, and so how much of it is in memory. The default is 1,024.
func MaxInFlight(n int) CallOption { return func(o *callOptions) { o.inFlight = n } }

// AsTheyEnd has Map yield outcomes as calls end, instead of in the order of the inputs.
func AsTheyEnd() CallOption { return func(o *callOptions) { o.asTheyEnd = true } }

const (
	defaultInFlight = 1024
	maxInFlight     = 1 << 16
)

func options(list []CallOption) (o callOptions, err error) {
	for _, set := range list {
		if set != nil {
			set(&o)
		}
	}
	switch {
	case o.inFlight < 0 || o.inFlight > maxInFlight:
		return o, fmt.Errorf("max in flight: %d is not between 1 and %d", o.inFlight, maxInFlight)
	case o.inFlight == 0:
		o.inFlight = defaultInFlight
	}
	return o, nil
}

// bounded tells whether not every member may run a job's tasks.
func bounded(w *core.Where) bool { return len(w.Require)+len(w.On)+len(w.Avoid) > 0 || w.Local }

// terms are what a call of a function is leased by.
func (o *callOptions) terms(n *Node, wire string) (core.Terms, error) {
	t, err := n.terms(&o.Common)
	if err != nil {
		return t, err
	}
	t.Name = wire
	if err := n.zoned(&t, o.zones); err != nil {
		return t, err
	}
	if err := n.startsAt(wire, &t); err != nil {
		return t, err
	}
	if !bounded(&t.Where) && t.Needs == (task.Resources{}) {
		return t, nil // this node runs it
	}
	return t, n.capable(&t)
}
