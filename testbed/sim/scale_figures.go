package sim

import (
	"container/heap"
	"fmt"
	"time"

	"github.com/filchsched/filch/steal/core"
)

// figures is what a run of the large simulation counts.
type figures struct {
	steps, news, dials, streams uint64
	frames                      [16]uint64 // by message
	grants, stolen              [levels]uint64
	bytes                       [levels]uint64
	tasks, away                 uint64
	submitted                   int
	ran                         time.Duration

	busyNow int
	reached [3]time.Duration // when half, 90 % and 99 % of the cores were busy for the first time
	fell    [3]time.Duration // when they were for the last time

	granted map[int32]struct{} // by the first load's home, directly
}

// The messages that figures counts by.
var messageNames = [...]string{"hello", "beat", "page", "report", "offer", "withdraw", "ack", "grant", "recorded", "nowork", "news", "refused", "other"}

func messageKind(m core.Message) int {
	switch m.(type) {
	case core.Hello:
		return 0
	case core.Beat:
		return 1
	case core.Page:
		return 2
	case core.Report:
		return 3
	case core.Offer:
		return 4
	case core.Withdraw:
		return 5
	case core.Ack:
		return 6
	case core.Grant:
		return 7
	case core.Recorded:
		return 8
	case core.NoWork:
		return 9
	case core.News:
		return 10
	case core.Refused:
		return 11
	}
	return 12
}

func (p *plant) count(m core.Message, from, to int32, level, size int) {
	p.frames[messageKind(m)]++
	p.bytes[level] += uint64(size)
	if g, ok := m.(core.Grant); ok {
		p.grants[level]++
		if len(p.loads) > 0 && p.loads[0].home == from {
			p.granted[to] = struct{}{}
		}
		for k := range g.Parts {
			p.stolen[level] += g.Parts[k].Len()
		}
	}
}

var busyShares = [...]float64{0.5, 0.9, 0.99}

func (p *plant) busyFrom(share float64) int { return int(share * float64(len(p.nodes)*p.cores)) }

func (p *plant) growBusy(at time.Duration) {
	p.busyNow++
	for k, share := range busyShares {
		if p.reached[k] == 0 && p.busyNow >= p.busyFrom(share) {
			p.reached[k] = at
		}
	}
}

func (p *plant) shrinkBusy() {
	for k, share := range busyShares {
		if p.busyNow == p.busyFrom(share) {
			p.fell[k] = p.now
		}
	}
	p.busyNow--
}

// greedy is how long a list scheduler without any latency takes, oldest task first: what
// nobody who does not know run times beats by much.
func (l *load) greedy(cores int) time.Duration {
	type at struct {
		seed  uint64
		depth uint8
	}
	now, busy, ready, next := time.Duration(0), make(ends, 0, cores), []at{}, uint64(0)
	if l.tree != nil {
		ready = append(ready, at{l.seeds[0], 0})
	}
	for {
		for len(busy) < cores {
			x := at{}
			switch {
			case l.tree == nil && next < l.n:
				x.seed = l.seed(next)
				next++
			case len(ready) > 0:
				x, ready = ready[0], ready[1:]
			}
			if x.seed == 0 { // no seed is
				break
			}
			heap.Push(&busy, ending{now + lognormal(x.seed, l.mean, l.sigma), x.seed, x.depth})
		}
		if len(busy) == 0 {
			return now
		}
		e := heap.Pop(&busy).(ending)
		now = e.at
		if l.tree != nil {
			for k := range l.tree.children(e.seed, e.depth) {
				ready = append(ready, at{child(e.seed, k), e.depth + 1})
			}
		}
	}
}

// An ending is when a task ends.
type ending struct {
	at    time.Duration
	seed  uint64
	depth uint8
}

type ends []ending

func (m ends) Len() int           { return len(m) }
func (m ends) Less(i, j int) bool { return m[i].at < m[j].at }
func (m ends) Swap(i, j int)      { m[i], m[j] = m[j], m[i] }
func (m *ends) Push(x any)        { *m = append(*m, x.(ending)) }
func (m *ends) Pop() any {
	last := len(*m) - 1
	x := (*m)[last]
	*m = (*m)[:last]
	return x
}

func percent(part, whole uint64) string {
	if whole == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f%%", 100*float64(part)/float64(whole))
}
