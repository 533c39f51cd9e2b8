package node

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/filchsched/filch/node/control"
	"github.com/filchsched/filch/steal/core"
)

var errNoJobID = errors.New("a job is called NODE/START.NUMBER, or START.NUMBER at its own node, as \"filch jobs\" shows it")

// parseJob reads what people call a job: HOME/START.NUMBER, where HOME is a peer ID, the
// end of one, or a node's name; without it the job is this node's. A task has its index
// after that; rest is it, without the slash.
func (n *Node) parseJob(s string, withTask bool) (id core.JobID, index uint64, err error) {
	parts := strings.Split(s, "/")
	if withTask {
		last := parts[len(parts)-1]
		if index, err = strconv.ParseUint(last, 10, 64); err != nil || len(parts) < 2 {
			return id, 0, fmt.Errorf("%q is no task: a task is called JOB/INDEX, with indices from 0", clip(s))
		}
		parts = parts[:len(parts)-1]
	}
	if len(parts) > 2 {
		return id, 0, fmt.Errorf("%q is no job: %w", clip(s), errNoJobID)
	}
	start, number, ok := strings.Cut(parts[len(parts)-1], ".")
	inc, bad1 := strconv.ParseUint(start, 10, 32)
	num, bad2 := strconv.ParseUint(number, 10, 32)
	if !ok || bad1 != nil || bad2 != nil {
		return id, 0, fmt.Errorf("%q is no job: %w", clip(s), errNoJobID)
	}
	id = core.JobID{Home: core.PeerID(n.self.identity.ID().String()), Seq: inc<<32 | num}
	if len(parts) == 2 {
		id.Home, err = n.peerCalled(parts[0])
	}
	return id, index, err
}

// peersCalled is peerCalled for several.
func (n *Node) peersCalled(names []string) (peers []core.PeerID, err error) {
	for _, name := range names {
		p, err := n.peerCalled(name)
		if err != nil {
			return nil, err
		}
		peers = append(peers, p)
	}
	return peers, nil
}

// minSuffix is how much of a peer ID's end names the peer.
const minSuffix = 6

// peerCalled finds a node by its peer ID, the end of one, or its name.
func (n *Node) peerCalled(name string) (core.PeerID, error) {
	if _, err := peer.Decode(name); err == nil {
		return core.PeerID(name), nil
	}
	var found []Member
	for _, m := range n.Members() {
		if m.Name == name || len(name) >= minSuffix && strings.HasSuffix(m.ID, name) {
			found = append(found, m)
		}
	}
	switch len(found) {
	case 0:
		return "", fmt.Errorf("no node is called %q; \"filch nodes\" lists them", clip(name))
	case 1:
		return core.PeerID(found[0].ID), nil
	}
	present := found[:0]
	for _, m := range found {
		if m.State == control.StateAlive {
			present = append(present, m)
		}
	}
	if len(present) == 1 {
		return core.PeerID(present[0].ID), nil
	}
	return "", fmt.Errorf("several nodes are called %q: use the ID of one", clip(name))
}
