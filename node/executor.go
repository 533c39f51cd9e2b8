package node

import (
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/node/command"
	"github.com/filchsched/filch/steal"
	"github.com/filchsched/filch/steal/core"
	"github.com/filchsched/filch/steal/guest"
)

// byKind hands each piece to who runs its kind. It implements steal.Executor.
type byKind map[task.Kind]steal.Executor

// Wants implements steal.Executor: every kind needs to be told what to run, unless it knows.
func (k byKind) Wants(id core.JobID) bool {
	for _, to := range k {
		if !to.Wants(id) {
			return false
		}
	}
	return true
}

// Start implements steal.Executor.
func (k byKind) Start(r steal.Run, end func(steal.End)) {
	if to := k[r.Terms.Kind]; to != nil {
		to.Start(r, end)
		return
	}
	end(steal.End{Finished: core.Finished{
		Piece: r.Piece, State: task.Failed, Smell: true, Reason: "this node does not run tasks of kind " + clip(string(r.Terms.Kind)),
	}})
}

// Halt implements steal.Executor. Who does not know the piece does nothing.
func (k byKind) Halt(p core.Piece) {
	for _, to := range k {
		to.Halt(p)
	}
}

// Leash implements steal.Executor.
func (k byKind) Leash(key uint64, until time.Duration) {
	for _, to := range k {
		to.Leash(key, until)
	}
}

// tally is the steal.Executor of a node: it counts what goes through it to the one that executes, guests
// that execute their own tasks on the node's cores included.
type tally struct {
	steal.Executor
	self core.PeerID
	stir func() // something began or ended; must not block

	cores atomic.Int64 // that runs hold

	mu    sync.Mutex
	tasks map[task.Kind]int64 // that run; guarded by mu
	ended map[endKey]uint64   // guarded by mu
	taken map[takenKey]*taken // guarded by mu; at most maxTaken, and othersTaken
	took  uint64              // ends of tasks of other homes; guarded by mu
}

// An endKey is how tasks ended here, whosever they were. A guest tells nobody how its own ended: state 0.
type endKey struct {
	kind  task.Kind
	state task.State
}

// endState names a state for people.
func (k endKey) endState() string {
	if k.state == 0 {
		return "unknown"
	}
	return k.state.String()
}

// A takenKey is whose tasks were run here, and from whom they came: home itself, or who held them.
type takenKey struct{ home, from core.PeerID }

// taken is what was run here for another home.
type taken struct {
	tasks, failed uint64
	ran           time.Duration
	last          uint64     // when, counted in ends
	of            core.JobID // the last one
	job, runs     string     // what people call it, and what it runs
	near          bool       // it came from its home, or from the node of the run that is
}

// maxTaken bounds the homes that are told apart: each run of a command line is one of its own. What was run for
// those that gave no work for longest is kept as one sum, under othersTaken.
const maxTaken = 256

var othersTaken = takenKey{}

var _ steal.Executor = (*tally)(nil)

func newTally(self core.PeerID, to steal.Executor, stir func()) *tally {
	return &tally{
		Executor: to, self: self, stir: stir,
		tasks: make(map[task.Kind]int64), ended: make(map[endKey]uint64), taken: make(map[takenKey]*taken),
	}
}

// Start implements steal.Executor.
func (x *tally) Start(r steal.Run, end func(steal.End)) {
	kind, cores, n := r.Terms.Kind, int64(r.Terms.Needs.CoresOrOne()), int64(r.Piece.Len())
	x.cores.Add(cores)
	x.mu.Lock()
	x.tasks[kind] += n
	x.mu.Unlock()
	x.stir()
	x.Executor.Start(r, func(e steal.End) {
		x.cores.Add(-cores)
		x.count(&r, n, &e)
		end(e)
		x.stir()
	})
}

func (x *tally) count(r *steal.Run, n int64, e *steal.End) {
	kind := r.Terms.Kind
	failed := uint64(len(e.Exceptions))
	if e.State == task.Failed {
		failed = uint64(n)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.tasks[kind] -= n
	switch {
	case e.ByHome:
		x.ended[endKey{kind, 0}] += uint64(n)
		return
	case e.State == task.Cancelled:
		x.ended[endKey{kind, task.Cancelled}] += uint64(n)
		return
	}
	x.ended[endKey{kind, task.Failed}] += failed
	x.ended[endKey{kind, task.Done}] += uint64(n) - failed
	if home := e.Piece.Job.Home; home != x.self {
		t := x.takenFrom(takenKey{home, r.From})
		t.tasks += uint64(n)
		t.failed += failed
		t.ran += e.Ran
		t.near = r.Depth <= 1 || guest.Is(home) && r.Depth == 2
		if t.runs = r.Terms.Name; t.of != e.Piece.Job {
			t.of, t.job = e.Piece.Job, jobOf(r)
		}
	}
}

// jobOf is what people call the job of a run; "" if it is not told. It takes the header apart, so it is
// asked once a job, or little more.
func jobOf(r *steal.Run) string {
	if r.Terms.Kind != task.KindProc {
		return ""
	}
	h, err := command.DecodeHeader(r.Header)
	if err != nil {
		return ""
	}
	return h.Job
}

// takenFrom is the count of a key. x.mu is held.
func (x *tally) takenFrom(k takenKey) *taken {
	t := x.taken[k]
	if t == nil {
		if len(x.taken) >= maxTaken {
			x.sumUpOldest()
		}
		t = new(taken)
		x.taken[k] = t
	}
	x.took++
	t.last = x.took
	return t
}

// sumUpOldest adds who gave no work for longest to othersTaken. x.mu is held.
func (x *tally) sumUpOldest() {
	oldest := othersTaken
	for k, t := range x.taken {
		if k != othersTaken && (oldest == othersTaken || t.last < x.taken[oldest].last) {
			oldest = k
		}
	}
	sum, t := x.taken[othersTaken], x.taken[oldest]
	if sum == nil {
		sum = new(taken)
		x.taken[othersTaken] = sum
	}
	sum.tasks += t.tasks
	sum.failed += t.failed
	sum.ran += t.ran
	delete(x.taken, oldest)
}

// busy is how many cores runs hold.
func (x *tally) busy() int { return int(x.cores.Load()) }

// stolen is what was run here for others.
func (x *tally) stolen() map[takenKey]taken {
	x.mu.Lock()
	defer x.mu.Unlock()
	all := make(map[takenKey]taken, len(x.taken))
	for k, t := range x.taken {
		all[k] = *t
	}
	return all
}

// counts are how many tasks run and how many ended in what, whosever they are.
func (x *tally) counts() (running map[task.Kind]int64, ended map[endKey]uint64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	running, ended = make(map[task.Kind]int64), make(map[endKey]uint64)
	for _, k := range []task.Kind{task.KindFunc, task.KindProc} { // there before their first task
		running[k] = 0
		for _, s := range []task.State{task.Done, task.Failed, task.Cancelled} {
			ended[endKey{k, s}] = 0
		}
	}
	maps.Copy(running, x.tasks)
	maps.Copy(ended, x.ended)
	return running, ended
}
