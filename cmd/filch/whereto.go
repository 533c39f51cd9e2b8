package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/filchsched/filch/node/control"
	"github.com/filchsched/filch/steal/core"
)

// where is where the flags allow commands to run, as the node sees its cluster: without the directory.
func (o *spreadOptions) where(node control.Node, members []control.Member) (w core.Where, err error) {
	w.MaxRunning = uint32(o.maxRun)
	w.Require = slices.Clone(o.require)
	if w.On, err = peersNamed("--on", o.on, members); err != nil {
		return w, err
	}
	if w.Avoid, err = peersNamed("--avoid", o.avoid, members); err != nil {
		return w, err
	}
	switch o.maxLevel {
	case levelHost:
		w.Local = true
	case levelRack, levelZone:
		value, ok := node.Labels[o.maxLevel]
		if !ok {
			return w, fmt.Errorf("--max-level %s: the node of this machine has no label %q: give it one with filch up --label %[1]s=…", o.maxLevel, o.maxLevel)
		}
		w.Require = append(w.Require, o.maxLevel+"="+value)
		if zone, ok := node.Labels[levelZone]; ok && o.maxLevel == levelRack { // racks are counted anew in each zone
			w.Require = append(w.Require, levelZone+"="+zone)
		}
	}
	return w, nil
}

// peersNamed returns the IDs of nodes given by name or ID.
func peersNamed(flag string, names []string, members []control.Member) (ids []core.PeerID, err error) {
	for _, name := range names {
		var found, known []string
		for _, m := range members {
			if m.State == control.StateLeft {
				continue
			}
			if m.Name == name || m.ID == name {
				found = append(found, m.ID)
			}
			if m.Name != "" && !slices.Contains(known, m.Name) {
				known = append(known, m.Name)
			}
		}
		switch {
		case len(found) == 0:
			return nil, fmt.Errorf("%s: there is no node %q; there are: %s", flag, name, strings.Join(known, ", "))
		case len(found) > 1:
			return nil, fmt.Errorf("%s: several nodes are called %q: give the ID of one: %s", flag, name, strings.Join(found, ", "))
		}
		ids = append(ids, core.PeerID(found[0]))
	}
	return ids, nil
}

// othersExecute tells whether any other node runs commands for its peers.
func othersExecute(members []control.Member) bool {
	return slices.ContainsFunc(members, func(m control.Member) bool {
		return !m.Self && m.State != control.StateLeft && slices.Contains(m.Kinds, kindExec)
	})
}

// kindExec is the kind of commands in what members announce.
const kindExec = "exec"

// A localCluster is the node over which a run spreads, that of this machine or one of its own, and
// whom it knows.
type localCluster struct {
	client  clusterNode
	own     *ownNode // the same, if it is the run's own
	node    control.Node
	members []control.Member
}

// findCluster finds the node of this machine; nil if there is none. It is an error not to find
// one that was named.
func (o *spreadOptions) findCluster(ctx context.Context) (*localCluster, error) {
	client, err := o.node.find(ctx)
	var nobody *control.NotRunningError
	if errors.As(err, &nobody) && o.node.path() == "" {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return newLocalCluster(ctx, client)
}

func newLocalCluster(ctx context.Context, node clusterNode) (_ *localCluster, err error) {
	c := &localCluster{client: node}
	ctx, cancel := context.WithTimeout(ctx, joinTimeout)
	defer cancel()
	if c.node, err = node.Node(ctx); err == nil {
		c.members, err = node.Members(ctx)
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}

// labels are the node's own, as they are required.
func (c *localCluster) labels() (all []string) {
	for k, v := range c.node.Labels {
		all = append(all, k+"="+v)
	}
	slices.Sort(all)
	return all
}
