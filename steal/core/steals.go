package core

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/filchsched/filch/exec/task"
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

// A GivenCount is what a peer, To, has taken from here of a home's tasks and brought to an outcome.
type GivenCount struct {
	To, Home      PeerID // both empty: the sum of those that are too many to tell apart
	Level         uint8  // how far To is
	Tasks, Failed uint64
	Ran           time.Duration
}

// given are those counts. There is one for each peer and home, and each run of a command line is a home of its
// own: those that took nothing for longest are added up.
type given struct {
	by    map[givenKey]*givenCount
	turns uint64
}

type givenKey struct{ to, home PeerID }

type givenCount struct {
	GivenCount
	last uint64 // when, in turns
}

const maxGiven = 1024

func (g *given) count(level uint8, to PeerID, o *Outcome) {
	if g.by == nil {
		g.by = make(map[givenKey]*givenCount)
	}
	k := givenKey{to, o.Job.Home}
	n := g.by[k]
	if n == nil {
		if len(g.by) >= maxGiven {
			g.sumUpOldest()
		}
		n = &givenCount{GivenCount: GivenCount{To: to, Home: k.home}}
		g.by[k] = n
	}
	g.turns++
	n.last, n.Level = g.turns, level
	n.Tasks += o.Len()
	n.Ran += o.Ran
	for _, x := range o.Exceptions {
		if x.State != task.Done {
			n.Failed++
		}
	}
}

func (g *given) sumUpOldest() {
	var oldest *givenCount
	for k, n := range g.by {
		if k != (givenKey{}) && (oldest == nil || n.last < oldest.last) {
			oldest = n
		}
	}
	sum := g.by[givenKey{}]
	if sum == nil {
		sum = new(givenCount)
		g.by[givenKey{}] = sum
	}
	sum.Tasks += oldest.Tasks
	sum.Failed += oldest.Failed
	sum.Ran += oldest.Ran
	sum.Level = max(sum.Level, oldest.Level)
	delete(g.by, givenKey{oldest.To, oldest.Home})
}

// Given returns what others have taken from here, nearest level first. The result is a copy.
func (c *Core) Given() []GivenCount {
	var all []GivenCount
	for _, n := range c.given.by {
		all = append(all, n.GivenCount)
	}
	slices.SortFunc(all, func(a, b GivenCount) int {
		return cmp.Or(cmp.Compare(a.Level, b.Level), cmp.Compare(a.To, b.To), cmp.Compare(a.Home, b.Home))
	})
	return all
}
