package node

import (
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/steal"
	"github.com/filchsched/filch/steal/core"
)

// byKind is the steal.Executor of a node: it hands each piece to who runs its kind, and
// counts.
type byKind struct {
	self  core.PeerID
	kinds map[task.Kind]steal.Executor
	stir  func() // something began or ended; must not block

	cores atomic.Int64 // that runs hold

	mu    sync.Mutex
	tasks map[task.Kind]int64    // that run; guarded by mu
	ended map[endKey]uint64      // guarded by mu
	homes map[core.PeerID]*taken // guarded by mu; at most maxTaken, and otherHomes
	took  uint64                 // ends of tasks of other homes; guarded by mu
}

// An endKey is how tasks ended here, whosever they were.
type endKey struct {
	kind  task.Kind
	state task.State
}

// taken is what was run here for another home.
type taken struct {
	pieces, tasks, failed uint64
	ran                   time.Duration
	last                  uint64 // when, counted in ends
}

// maxTaken bounds the homes that are told apart: each run of a command line is one of its own. What was run for
// those that gave no work for longest is kept as one sum, under otherHomes.
const (
	maxTaken   = 256
	otherHomes = core.PeerID("")
)

var _ steal.Executor = (*byKind)(nil)

func newByKind(self core.PeerID, kinds map[task.Kind]steal.Executor, stir func()) *byKind {
	return &byKind{
		self: self, kinds: kinds, stir: stir,
		tasks: make(map[task.Kind]int64), ended: make(map[endKey]uint64), homes: make(map[core.PeerID]*taken),
	}
}

// Wants implements steal.Executor: every kind needs to be told what to run.
func (x *byKind) Wants(core.JobID) bool { return true }

// Start implements steal.Executor.
func (x *byKind) Start(r steal.Run, end func(steal.End)) {
	to := x.kinds[r.Terms.Kind]
	if to == nil {
		end(steal.End{Finished: core.Finished{
			Piece: r.Piece, State: task.Failed, Smell: true, Reason: "this node does not run tasks of kind " + clip(string(r.Terms.Kind)),
		}})
		return
	}
	kind, cores, n := r.Terms.Kind, int64(r.Terms.Needs.CoresOrOne()), int64(r.Piece.Len())
	x.cores.Add(cores)
	x.mu.Lock()
	x.tasks[kind] += n
	x.mu.Unlock()
	x.stir()
	to.Start(r, func(e steal.End) {
		x.cores.Add(-cores)
		x.count(kind, n, &e)
		end(e)
		x.stir()
	})
}

func (x *byKind) count(kind task.Kind, n int64, e *steal.End) {
	failed := uint64(len(e.Exceptions))
	if e.State == task.Failed {
		failed = uint64(n)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.tasks[kind] -= n
	if e.State == task.Cancelled {
		x.ended[endKey{kind, task.Cancelled}] += uint64(n)
		return
	}
	x.ended[endKey{kind, task.Failed}] += failed
	x.ended[endKey{kind, task.Done}] += uint64(n) - failed
	if home := e.Piece.Job.Home; home != x.self {
		t := x.homes[home]
		if t == nil {
			if len(x.homes) >= maxTaken {
				x.sumUpOldest()
			}
			t = new(taken)
			x.homes[home] = t
		}
		x.took++
		t.last = x.took
		t.pieces++
		t.tasks += uint64(n)
		t.failed += failed
		t.ran += e.Ran
	}
}

// sumUpOldest adds the home that gave no work for longest to otherHomes. x.mu is held.
func (x *byKind) sumUpOldest() {
	oldest := otherHomes
	for p, t := range x.homes {
		if p != otherHomes && (oldest == otherHomes || t.last < x.homes[oldest].last) {
			oldest = p
		}
	}
	sum, t := x.homes[otherHomes], x.homes[oldest]
	if sum == nil {
		sum = new(taken)
		x.homes[otherHomes] = sum
	}
	sum.pieces += t.pieces
	sum.tasks += t.tasks
	sum.failed += t.failed
	sum.ran += t.ran
	delete(x.homes, oldest)
}

// Halt implements steal.Executor. Who does not know the piece does nothing.
func (x *byKind) Halt(p core.Piece) {
	for _, to := range x.kinds {
		to.Halt(p)
	}
}

// Leash implements steal.Executor.
func (x *byKind) Leash(key uint64, until time.Duration) {
	for _, to := range x.kinds {
		to.Leash(key, until)
	}
}

// busy is how many cores runs hold.
func (x *byKind) busy() int { return int(x.cores.Load()) }

// homesTaken is what was run here for others.
func (x *byKind) homesTaken() map[core.PeerID]taken {
	x.mu.Lock()
	defer x.mu.Unlock()
	all := make(map[core.PeerID]taken, len(x.homes))
	for p, t := range x.homes {
		all[p] = *t
	}
	return all
}

// counts are how many tasks run and how many ended in what, whosever they are.
func (x *byKind) counts() (running map[task.Kind]int64, ended map[endKey]uint64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	running = map[task.Kind]int64{task.KindFunc: 0, task.KindProc: 0}
	maps.Copy(running, x.tasks)
	return running, maps.Clone(x.ended)
}
