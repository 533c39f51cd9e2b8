package core

import (
	"slices"
	"strings"
)

// near is what is known of where the members sit.
type near struct {
	members  []Member // by peer; not ours to change
	farthest uint8
	groups   []group // but for that of all, nearest first
}

// meet keeps the list, which its owner does not change any more.
func (n *near) meet(list []Member) {
	byPeer := func(a, b Member) int { return strings.Compare(string(a.Peer), string(b.Peer)) }
	n.members = list
	if !slices.IsSortedFunc(list, byPeer) {
		n.members = slices.SortedFunc(slices.Values(list), byPeer)
	}
	n.farthest = 0
	for k := range list {
		n.farthest = max(n.farthest, list[k].Level)
	}
	n.regroup()
}

// A group is the members up to a level, as indices of near.members.
type group struct {
	level   uint8
	members []int32
}

func (n *near) regroup() {
	n.groups = nil
	var has [256]bool
	for k := range n.members {
		has[n.members[k].Level] = true
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
