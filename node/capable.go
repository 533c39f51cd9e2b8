package node

import (
	"context"
	"fmt"
	"slices"

	"github.com/filchsched/filch/exec/call"
	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/node/control"
	"github.com/filchsched/filch/node/fit"
	"github.com/filchsched/filch/node/home"
	"github.com/filchsched/filch/steal/core"
)

// capable returns why no known member could run a call, or nil. A member whose functions are not known yet may be able.
func (n *Node) capable(t *core.Terms) error {
	if !n.Joined() {
		return nil // who could may still come
	}
	t.Kind = task.KindFunc
	members := n.Members()
	knows := n.whoKnows(t.Name)
	err := fit.CheckKnowing(t, members, knows).Err()
	if err == nil {
		return nil
	}
	err = fmt.Errorf("%w: %w", ErrNoCapableNode, err)
	for k := range members {
		m := &members[k]
		able := fit.Check(t, members[k:k+1]).Err() == nil // but for the function
		if yes, known := knows(m); able && known && !yes && !m.Self {
			return fmt.Errorf("%w: %w", home.Failed(t.Name, core.PeerID(m.ID), 0, call.Unknown, home.ErrUnknownFunction.Error()), err)
		}
	}
	return err
}

// whoKnows tells which members know a function, as far as that is known: those that announce the same functions as this node
// do, and of others what their offers have told.
func (n *Node) whoKnows(wire string) func(*control.Member) (yes, known bool) {
	hash := core.FunctionHash(wire)
	told := make(map[string]bool)
	if n.network == nil {
		return func(m *control.Member) (bool, bool) { return m.Self, true }
	}
	ctx, cancel := context.WithTimeout(context.Background(), gatherPatience)
	defer cancel()
	if err := n.work.driver.Ask(ctx, func(c *core.Core) {
		for p, functions := range c.Known() {
			told[string(p)] = slices.Contains(functions, hash)
		}
	}); err != nil {
		return func(*control.Member) (bool, bool) { return false, false }
	}
	digest, same := n.functionDigest(), make(map[string]bool)
	for _, m := range n.network.cluster.Members() {
		if m.Record != nil {
			same[m.ID.String()] = m.Record.Functions == digest
		}
	}
	return func(m *control.Member) (yes, known bool) {
		if m.Self {
			return n.functions.Lookup(wire) != nil, true
		}
		if same[m.ID] {
			return n.functions.Lookup(wire) != nil, true
		}
		yes, known = told[m.ID]
		return yes, known
	}
}
