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

func (p *plant) count(m core.Message, level, size int) {
	p.frames[messageKind(m)]++
	p.bytes[level] += uint64(size)
	if g, ok := m.(core.Grant); ok {
		p.grants[level]++
		for k := range g.Parts {
			p.stolen[level] += g.Parts[k].Len()
		}
	}
}

func (p *plant) growBusy(at time.Duration) {
	p.busyNow++
	for k, share := range [...]float64{0.5, 0.9, 0.99} {
		if p.reached[k] == 0 && float64(p.busyNow) >= share*float64(len(p.nodes)*p.cores) {
			p.reached[k] = at
		}
	}
}

func (p *plant) shrinkBusy() { p.busyNow-- }

// greedy is how long a list scheduler without any latency takes for a bag, in the
// order of the indices: what nobody who does not know run times beats by much.
func (l *load) greedy(cores int) time.Duration {
	free := make(moments, cores)
	for i := range l.n {
		free[0] += lognormal(l.seed(i), l.mean, l.sigma)
		heap.Fix(&free, 0)
	}
	last := time.Duration(0)
	for _, f := range free {
		last = max(last, f)
	}
	return last
}

type moments []time.Duration

func (m moments) Len() int           { return len(m) }
func (m moments) Less(i, j int) bool { return m[i] < m[j] }
func (m moments) Swap(i, j int)      { m[i], m[j] = m[j], m[i] }
func (m *moments) Push(x any)        { *m = append(*m, x.(time.Duration)) }
func (m *moments) Pop() any          { panic("not used") }

func percent(part, whole uint64) string {
	if whole == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f%%", 100*float64(part)/float64(whole))
}
