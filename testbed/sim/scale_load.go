package sim

import (
	"math"
	"time"

	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/steal/core"
)

// A load is a job of the large simulation. The tasks of a bag are there from the
// beginning. Those of a tree spawn others when they end, at home where they ran
// (one job per node, extended): which tasks there are does not depend on where.
type load struct {
	name  string
	home  int32
	job   core.JobID
	mean  time.Duration
	sigma float64
	n     uint64
	seeds []uint64 // of a tree's tasks; a bag's are counted
	depth []uint8
	tree  *tree
	seen  []uint8 // how often each was committed

	begun, over       time.Duration
	firstRun, waited  time.Duration // until the first start; of all starts together
	starts, committed uint64
}

// A tree is the same tree wherever its tasks run: who spawns how many is a
// function of the task's seed. Numbers of children are geometric, as in the
// Unbalanced Tree Search benchmark, and end at a depth.
type tree struct {
	branch float64
	depth  uint8
	wide   int // children of the root
}

func scramble(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func unit(x uint64) float64 { return (float64(x>>11) + 0.5) / (1 << 53) }

func (t *tree) children(seed uint64, depth uint8) int {
	if depth == 0 {
		return t.wide
	}
	if depth >= t.depth {
		return 0
	}
	q := t.branch / (1 + t.branch)
	return int(math.Log(unit(scramble(seed^0xc41d))) / math.Log(q))
}

func child(seed uint64, k int) uint64 { return scramble(seed + uint64(k)*0x2545f4914f6cdd1d) }

func (l *load) seed(i uint64) uint64 {
	if l.tree != nil {
		return l.seeds[i]
	}
	return scramble(uint64(len(l.name))<<40 ^ i ^ uint64(l.home)<<48)
}

// time is log-normal.
func lognormal(seed uint64, mean time.Duration, sigma float64) time.Duration {
	a, b := unit(scramble(seed^0xa)), unit(scramble(seed^0xb))
	z := math.Sqrt(-2*math.Log(a)) * math.Cos(2*math.Pi*b)
	return time.Duration(float64(mean) * math.Exp(sigma*z-sigma*sigma/2))
}

func (l *load) takes(s core.Span) (sum time.Duration) {
	for i := s.Lo; i < s.Hi; i++ {
		sum += lognormal(l.seed(i), l.mean, l.sigma)
	}
	return sum
}

// work is the core time of all tasks, and the longest chain of them.
func (l *load) work() (sum, longest time.Duration, n uint64) {
	if l.tree == nil {
		for i := range l.n {
			t := lognormal(l.seed(i), l.mean, l.sigma)
			sum += t
			longest = max(longest, t)
		}
		return sum, longest, l.n
	}
	type at struct {
		seed  uint64
		depth uint8
		chain time.Duration
	}
	stack := []at{{l.seeds[0], 0, 0}}
	for len(stack) > 0 {
		x := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		t := lognormal(x.seed, l.mean, l.sigma)
		n++
		sum += t
		longest = max(longest, x.chain+t)
		for k := range l.tree.children(x.seed, x.depth) {
			stack = append(stack, at{child(x.seed, k), x.depth + 1, x.chain + t})
		}
	}
	return sum, longest, n
}

// bag plans a job of n independent tasks at a node and a time.
func (p *plant) bag(name string, home int, at time.Duration, n uint64, mean time.Duration, sigma float64) *load {
	l := &load{name: name, home: int32(home), mean: mean, sigma: sigma, n: n}
	p.plan(l, at)
	return l
}

// unbalanced plans a tree whose root is at a node.
func (p *plant) unbalanced(name string, home int, at time.Duration, t tree, mean time.Duration, sigma float64) *load {
	l := &load{name: name, home: int32(home), mean: mean, sigma: sigma, n: 1, tree: &t, seeds: []uint64{scramble(7)}, depth: []uint8{0}}
	p.plan(l, at)
	return l
}

func (p *plant) plan(l *load, at time.Duration) {
	p.errands = append(p.errands, errand{l.home, l})
	p.queue.add(occasion{at: at, kind: onSubmit, node: l.home, what: int32(len(p.errands) - 1)})
}

func (p *plant) submit(m *machine, n int32, l *load) {
	p.loads = append(p.loads, l)
	l.seen = make([]uint8, l.n)
	l.begun = p.now
	p.left += l.n
	p.tasks += l.n
	if l.tree != nil && m.tree == nil {
		m.tree = l
	}
	// Within this step: children may follow before a loop that is busy gets to it.
	p.handle(m, n, inboxItem{letter: -1, ev: core.Submit{Ref: uint64(len(p.loads) - 1), N: l.n, Terms: core.Terms{
		Name: l.name, Kind: task.KindFunc, InBytes: uint32(p.args), OutBytes: uint32(p.results)}}})
	p.alarm(m, n)
	p.noticeSurplus(m, n)
}

func (p *plant) starts(n int32, l *load, w *piecework, at time.Duration) {
	if l.starts == 0 {
		l.firstRun = at - l.begun
	}
	l.starts += w.Piece.Len()
	l.waited += (at - l.begun) * time.Duration(w.Piece.Len())
	if n != l.home {
		p.away += w.Piece.Len()
	}
	p.growBusy(at)
}

// ended spawns what a tree's task spawns.
func (p *plant) ended(m *machine, n int32, w *piecework) {
	p.shrinkBusy()
	p.ran += w.takes
	l := p.of[w.Piece.Job]
	if l.tree == nil {
		return
	}
	for i := w.Piece.Lo; i < w.Piece.Hi; i++ {
		kids := l.tree.children(l.seeds[i], l.depth[i])
		if kids == 0 {
			continue
		}
		t := m.tree
		if t == nil {
			t = &load{name: l.name, home: n, mean: l.mean, sigma: l.sigma, tree: l.tree}
			m.tree = t
		}
		from := t.n
		for k := range kids {
			t.seeds = append(t.seeds, child(l.seeds[i], k))
			t.depth = append(t.depth, l.depth[i]+1)
		}
		t.n += uint64(kids)
		if from == 0 {
			p.submit(m, n, t)
			continue
		}
		t.seen = append(t.seen, make([]uint8, kids)...)
		p.left += uint64(kids)
		p.tasks += uint64(kids)
		p.into(m, n, inboxItem{letter: -1, ev: core.Extend{Job: t.job, N: uint64(kids)}})
	}
}

// committed holds the home to "once".
func (p *plant) committed(m *machine, n int32, e core.Commit) {
	l := p.of[e.Piece.Job]
	if l == nil || l.home != n || e.State != task.Done {
		p.fail("commit: %v %v at %s", e.Piece, e.State, m.id)
		return
	}
	for i := e.Piece.Lo; i < e.Piece.Hi; i++ {
		if l.seen[i]++; l.seen[i] != 1 {
			p.fail("once: task %d of %v is committed again", i, l.job)
		}
	}
	l.committed += e.Piece.Len()
	l.over = p.now
	p.left -= e.Piece.Len()
}
