package core

import (
	"slices"
	"strings"
)

// near is what is known of where the members sit.
type near struct {
	members  []Member // by peer; not ours to change
	farthest uint8
	groups   []group // nearest first, the last is of all
}

// meet keeps the list, which its owner does not change any more. self is who we are, wherever it says that we sit.
func (n *near) meet(self PeerID, list []Member) {
	byPeer := func(a, b Member) int { return strings.Compare(string(a.Peer), string(b.Peer)) }
	n.members = list
	if !slices.IsSortedFunc(list, byPeer) {
		n.members = slices.SortedFunc(slices.Values(list), byPeer)
	}
	n.farthest = 0
	for k := range list {
		n.farthest = max(n.farthest, list[k].Level)
	}
	n.regroup(self)
}

// A group is the members up to a level.
type group struct {
	level   uint8
	members []int32 // indices of near.members; nil: all of them
}

func (g *group) size(c *Core) int {
	if g.members == nil {
		return len(c.near.members)
	}
	return len(g.members)
}

func (g *group) member(c *Core, k int) *Member {
	if g.members != nil {
		k = int(g.members[k])
	}
	return &c.near.members[k]
}

// regroup makes a group for each level at which there is somebody else.
func (n *near) regroup(self PeerID) {
	n.groups = nil
	var has [256]bool
	for k := range n.members {
		has[n.members[k].Level] = has[n.members[k].Level] || n.members[k].Peer != self
	}
	for level := range n.farthest {
		if !has[level] {
			continue
		}
		g := group{level: level}
		for k := range n.members {
			if n.members[k].Level <= level {
				g.members = append(g.members, int32(k))
			}
		}
		n.groups = append(n.groups, g)
	}
	n.groups = append(n.groups, group{level: n.farthest})
}

// find returns what is known of a member.
func (n *near) find(p PeerID) (m Member, known bool) {
	k, known := slices.BinarySearchFunc(n.members, p, func(m Member, p PeerID) int { return strings.Compare(string(m.Peer), string(p)) })
	if known {
		m = n.members[k]
	}
	return m, known
}

// level is how far a peer is; one that is not known counts as far.
func (n *near) level(p PeerID) uint8 {
	if m, known := n.find(p); known {
		return m.Level
	}
	return n.farthest
}
