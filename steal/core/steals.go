package core

import (
	"cmp"
	"maps"
	"slices"
)

// A StealCount is what this process, To, has stolen from a peer, or tried to.
type StealCount struct {
	From, To PeerID
	Level    uint8  // how far From is, as it was believed at the last try
	Tasks    uint64 // that came and were kept
	Grants   uint64 // in so many
	// Failed counts tries that brought nothing, by reason.
	Failed map[string]uint64
}

// steals are those counts. Peers beyond a bound share one that names nobody.
type steals struct{ by map[PeerID]*StealCount }

const (
	maxStealPeers  = 1024
	maxFailReasons = 32 // reasons are the peers' words
)

func (s *steals) of(p PeerID, level uint8) *StealCount {
	if s.by == nil {
		s.by = make(map[PeerID]*StealCount)
	}
	if _, old := s.by[p]; !old && len(s.by) >= maxStealPeers {
		p = ""
	}
	n := s.by[p]
	if n == nil {
		n = &StealCount{From: p}
		s.by[p] = n
	}
	n.Level = level
	return n
}

func (s *steals) took(p PeerID, level uint8, tasks uint64) {
	n := s.of(p, level)
	n.Tasks += tasks
	n.Grants++
}

func (s *steals) failed(p PeerID, level uint8, reason string) {
	n := s.of(p, level)
	if n.Failed == nil {
		n.Failed = make(map[string]uint64)
	}
	if _, old := n.Failed[reason]; !old && len(n.Failed) >= maxFailReasons {
		reason = "other reasons"
	}
	n.Failed[reason]++
}

// Steals returns what this process has stolen, nearest level first. The result is a copy.
func (c *Core) Steals() []StealCount {
	var all []StealCount
	for _, n := range c.steals.by {
		s := *n
		s.To, s.Failed = c.cfg.ID, maps.Clone(n.Failed)
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b StealCount) int {
		return cmp.Or(cmp.Compare(a.Level, b.Level), cmp.Compare(a.From, b.From))
	})
	return all
}
