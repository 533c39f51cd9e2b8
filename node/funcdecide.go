package node

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/filchsched/filch/steal/core"
)

// Decide says where a call of the function with this argument should run: on node n or at which of those that it knows,
// as Node.Decide does, with the argument's size. Follow has a call go there; Node.Report says what became of it.
func (f Func[A, R]) Decide(ctx context.Context, n *Node, a A, o ...CallOption) (Decision, error) {
	if f.d == nil {
		return Decision{}, errNoFunction
	}
	if n == nil {
		if n = Here(ctx); n == nil {
			return Decision{}, errNoNode
		}
	}
	b := scratch.Get().(*[]byte)
	defer scratch.Put(b)
	encoded, err := f.d.args.Append((*b)[:0], a)
	if err != nil {
		return Decision{}, fmt.Errorf("%s: the argument cannot be encoded: %w", f.d.wire, err)
	}
	if cap(encoded) <= maxScratch {
		*b = encoded
	}
	return n.Decide(ctx, Spec{Function: f.d.wire, InBytes: int64(len(encoded)), OutBytes: -1}, o...)
}

// scratch is where arguments are encoded of which only the size is wanted.
var scratch = sync.Pool{New: func() any { return new([]byte) }}

const maxScratch = 1 << 20 // bytes that are kept

// Follow has a call run where a decision said: at its target only, or here. A decision that has expired, or found
// no place, is not followed: the call runs wherever there is room.
func Follow(d Decision) CallOption {
	return func(o *callOptions) {
		switch {
		case !d.Placeable() || d.Expired():
		case d.Local:
			o.Where.Local = true
		default:
			o.Where.On = []string{d.Target}
		}
	}
}

// Zones keeps a call, and so its argument, on nodes with one of these values of the label "zone", among those that are known when it
// begins.
func Zones(zones ...string) CallOption {
	return func(o *callOptions) { o.zones = append(o.zones, zones...) }
}

// Energy is for Decide: how many seconds of waiting it is worth to save this machine a second of a core at work, as on a battery.
func Energy(weight float64) CallOption { return func(o *callOptions) { o.energy = weight } }

// zoned bounds terms by the zones that were asked for.
func (n *Node) zoned(t *core.Terms, zones []string) error {
	if len(zones) == 0 {
		return nil
	}
	var in []core.PeerID
	for _, m := range n.Members() {
		id := core.PeerID(m.ID)
		if slices.Contains(zones, m.Labels[labelZone]) && (len(t.Where.On) == 0 || slices.Contains(t.Where.On, id)) {
			in = append(in, id)
		}
	}
	if len(in) == 0 {
		return fmt.Errorf("zones: no known node that may run the call is in %s", listed(zones))
	}
	t.Where.On = in
	return nil
}

// with is the Spec with what options say.
func (s Spec) with(list []CallOption) (Spec, error) {
	o, err := options(list)
	if err != nil || len(list) == 0 {
		return s, err
	}
	c, w := &o.Common, &o.Common.Where
	s.Where.Require = slices.Concat(s.Where.Require, w.Require)
	s.Where.On, s.Where.Avoid = slices.Concat(s.Where.On, w.On), slices.Concat(s.Where.Avoid, w.Avoid)
	s.Where.Local = s.Where.Local || w.Local
	s.Zones = slices.Concat(s.Zones, o.zones)
	s.Cores, s.Memory = max(s.Cores, c.Cores), max(s.Memory, c.Memory)
	if o.energy != 0 {
		s.Energy = o.energy
	}
	if o.timeout > 0 && (s.Deadline == 0 || o.timeout < s.Deadline) {
		s.Deadline = o.timeout
	}
	return s, nil
}
