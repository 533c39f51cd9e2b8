package exec

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/filchsched/filch/exec/fair"
	"github.com/filchsched/filch/exec/park"
	"github.com/filchsched/filch/exec/task"
)

// Each test here came from trying to break the engine. None may hang: soon
// fails it with the state of the engine instead.

// patience is how long something may take that should take milliseconds, on a
// busy machine under the race detector.
const patience = 10 * time.Second

// soon runs f, and fails the test with all that is known if f does not return.
func soon(t *testing.T, e *Engine, f func()) {
	t.Helper()
	over := make(chan struct{})
	go func() { defer close(over); f() }()
	select {
	case <-over:
	case <-time.After(patience):
		state := "the fair lock is held"
		if e.mu.TryLock() {
			e.mu.Unlock()
			state = e.describe()
		}
		debug.SetTraceback("all")
		go panic("hangs:\n" + state) // in a goroutine of its own: t.Cleanup would hang as well
		select {}
	}
}

// unaided is an engine without substitute workers, which would hide deadlocks.
func unaided(t *testing.T, c Config) *Engine {
	t.Helper()
	c.load = func() (time.Duration, int, bool) { return 0, 0, false }
	return newEngine(t, c)
}

// end closes j, waits for its end, and wants the error to be want.
func end(t *testing.T, j *Job, want error) {
	t.Helper()
	j.Close()
	soon(t, j.e, func() { <-j.Done() })
	if err := j.Wait(t.Context()); !errors.Is(err, want) {
		t.Errorf("the job ended with %v, want %v", err, want)
	}
}

// spins keeps the worker for about d without a chance to be cut.
func spins(d time.Duration) {
	for start := time.Now(); time.Since(start) < d; {
	}
}

// TestPutBackPieceIsNotExtendedOverStolenTasks: a piece of the open chunk whose
// high end was stolen comes back to the inbox; the next submission must not be
// glued to it.
func TestPutBackPieceIsNotExtendedOverStolenTasks(t *testing.T) {
	e := unaided(t, Config{Workers: 1})
	j := open(t, e, JobConfig{})
	var seen [8]atomic.Int32
	started, release := make(chan struct{}), make(chan struct{})
	NewBag(j, func(*Ctx, int) { close(started); <-release }).Submit(t.Context(), 0)
	<-started // the only worker is busy: the test plays the others
	bag := NewBag(j, func(_ *Ctx, i int) { seen[i].Add(1) })
	for i := range 6 {
		bag.Submit(t.Context(), i)
	}
	_, p := j.takeFrom(1, 6)
	j.putBack(piece{p.chunk, 1, 3}) // as if 0 had run and 3, 4, 5 were stolen
	bag.Submit(t.Context(), 6)
	j.putBack(piece{p.chunk, 3, 6})
	j.putBack(piece{p.chunk, 0, 1})
	j.unitDone()
	close(release)
	end(t, j, nil)
	for i := range 7 {
		if n := seen[i].Load(); n != 1 {
			t.Errorf("task %d ran %d times", i, n)
		}
	}
}

// TestSubmittedTasksRunOnceBesideThieves is the same, by chance instead of by hand.
func TestSubmittedTasksRunOnceBesideThieves(t *testing.T) {
	e := newEngine(t, Config{Workers: 4, Slice: 20 * time.Microsecond})
	const jobs, n = 3, 30_000
	for range jobs {
		j := open(t, e, JobConfig{})
		seen := make([]atomic.Int32, n)
		bag := NewBag(j, func(_ *Ctx, i int) {
			seen[i].Add(1)
			if i%100 == 0 {
				runtime.Gosched()
			}
		})
		go func() {
			for i := range n {
				bag.Submit(context.Background(), i)
			}
			j.Close()
		}()
		t.Cleanup(func() {
			for i := range seen {
				if k := seen[i].Load(); k != 1 {
					t.Errorf("task %d ran %d times", i, k)
					return
				}
			}
		})
	}
	soon(t, e, func() {
		for {
			e.mu.Lock()
			left := len(e.jobs)
			e.mu.Unlock()
			if left == 0 {
				return
			}
			runtime.Gosched()
		}
	})
}

// TestTaskThatHoldsMemoryMayBlock: its job has stalled meanwhile, and yet the
// task goes on.
func TestTaskThatHoldsMemoryMayBlock(t *testing.T) {
	e := unaided(t, Config{Workers: 2, Memory: 100})
	j := open(t, e, JobConfig{})
	bag := NewBag(j, func(c *Ctx, i int) {
		c.Block(func() { time.Sleep(time.Millisecond) })
	})
	if err := bag.SetNeeds(task.Resources{Memory: 60}); err != nil {
		t.Fatal(err)
	}
	SubmitRange(t.Context(), bag, 0, 20)
	end(t, j, nil)
}

// TestStalledJobStillForksAndJoins: a job that waits for memory keeps working
// on what it has begun.
func TestStalledJobStillForksAndJoins(t *testing.T) {
	e := unaided(t, Config{Workers: 3, Memory: 100, Slice: 100 * time.Microsecond})
	for range 2 {
		j := open(t, e, JobConfig{})
		bag := NewBag(j, func(c *Ctx, i int) { fibBody(c, 18) })
		if err := bag.SetNeeds(task.Resources{Memory: 60}); err != nil {
			t.Fatal(err)
		}
		SubmitRange(t.Context(), bag, 0, 10)
		defer end(t, j, nil)
	}
}

// TestWideTasksSpawnJoinBlockAndDoNotDeadlock: what a wide task holds does not
// keep its own stack from getting a worker, whoever else collects.
func TestWideTasksSpawnJoinBlockAndDoNotDeadlock(t *testing.T) {
	const workers, memory = 4, 1000
	e := unaided(t, Config{Workers: workers, Memory: memory, Slice: 50 * time.Microsecond})
	for _, n := range []task.Resources{{Cores: 3}, {Cores: 4, Memory: 300}, {Cores: 2, Memory: 600}, {Memory: 500}, {}} {
		j := open(t, e, JobConfig{})
		bag := NewBag(j, func(c *Ctx, i int) {
			fibBody(c, 14)
			c.Block(runtime.Gosched)
			a := fib.Spawn(c, 10)
			fib.Spawn(c, 10) // not joined
			fibBody(c, 10)
			a.Join(c)
		})
		if err := bag.SetNeeds(n); err != nil {
			t.Fatal(err)
		}
		SubmitRange(t.Context(), bag, 0, 50)
		defer end(t, j, nil)
	}
}

// TestResizeUnderWideTasks: the engine shrinks below what a running task holds.
func TestResizeUnderWideTasks(t *testing.T) {
	e := unaided(t, Config{Workers: 4, Slice: 50 * time.Microsecond})
	j := open(t, e, JobConfig{})
	began := make(chan struct{}, 100)
	bag := NewBag(j, func(c *Ctx, i int) {
		began <- struct{}{}
		for range 20 {
			fibBody(c, 14)
			c.Block(runtime.Gosched)
		}
	})
	if err := bag.SetNeeds(task.Resources{Cores: 4}); err != nil {
		t.Fatal(err)
	}
	SubmitRange(t.Context(), bag, 0, 12)
	for i, n := range []int{2, 1, 4, 3, 1, 6} {
		soon(t, e, func() { <-began })
		if err := e.Resize(n); err != nil {
			t.Fatal(i, err)
		}
	}
	end(t, j, nil)
	quiet(t, e)
}

// quiet waits until all workers sleep and wants nothing to be held, hungry or
// out of count.
func quiet(t *testing.T, e *Engine) {
	t.Helper()
	soon(t, e, func() {
		for {
			e.mu.Lock()
			ok := e.lot.Idle() == e.target && len(e.workers) == e.target && e.lot.Searching() == 0 && int(e.hungry.Load()) == e.target &&
				e.queue.TurnsOut() == 0 && e.held == 0 && e.resv == nil && len(e.stalled) == 0 && e.invariant() == nil
			e.mu.Unlock()
			if ok {
				return
			}
			runtime.Gosched()
		}
	})
}

// TestGoexitGivesBackWhatTheTaskHeld: memory and donors.
func TestGoexitGivesBackWhatTheTaskHeld(t *testing.T) {
	for _, n := range []task.Resources{{Memory: 60}, {Cores: 3}, {Cores: 2, Memory: 100}, {}} {
		e := unaided(t, Config{Workers: 3, Memory: 100})
		j := open(t, e, JobConfig{})
		bag := NewBag(j, func(c *Ctx, i int) {
			switch i % 3 {
			case 0:
				runtime.Goexit()
			case 1:
				c.Block(runtime.Goexit)
			}
			goexits.Spawn(c, 0).Join(c)
		})
		if err := bag.SetNeeds(n); err != nil {
			t.Fatal(err)
		}
		SubmitRange(t.Context(), bag, 0, 30)
		end(t, j, ErrGoexit)
		if s := j.Stats(); s.Failed != 30 {
			t.Errorf("%v: %+v", n, s)
		}
		quiet(t, e)
	}
}

var goexits = Define(func(c *Ctx, _ int) int { runtime.Goexit(); return 0 })

var counts = Define(func(c *Ctx, n *atomic.Int64) int { n.Add(1); return 0 })

// TestGoexitLosesNoChildren: what the task and those before it have spawned
// runs all the same.
func TestGoexitLosesNoChildren(t *testing.T) {
	e := unaided(t, Config{Workers: 1})
	j := open(t, e, JobConfig{})
	var ran atomic.Int64
	bag := NewBag(j, func(c *Ctx, i int) {
		for range 3 {
			counts.Spawn(c, &ran)
		}
		if i%2 == 1 {
			runtime.Goexit()
		}
	})
	SubmitRange(t.Context(), bag, 0, 100)
	end(t, j, ErrGoexit)
	if ran.Load() != 300 {
		t.Errorf("%d of 300 children ran", ran.Load())
	}
}

// goexitRuntime ends the goroutine that it runs on.
type goexitRuntime struct{ echoRuntime }

func (goexitRuntime) Run(context.Context, task.Spec) task.Outcome {
	runtime.Goexit()
	return task.Outcome{}
}

// TestEveryTaskOfARuntimeEndsOnce: also if Run does not return.
func TestEveryTaskOfARuntimeEndsOnce(t *testing.T) {
	e := unaided(t, Config{Workers: 2})
	j := open(t, e, JobConfig{})
	var failed atomic.Int64
	tasks := NewTasks(j, goexitRuntime{}, func(_ task.Spec, o task.Outcome) {
		if o.State == task.Failed && errors.Is(o.Err, ErrGoexit) {
			failed.Add(1)
		}
	})
	for i := range task.ID(50) {
		tasks.Submit(t.Context(), task.Spec{ID: i, Kind: task.KindFunc})
	}
	j.Close()
	soon(t, e, func() { <-j.Done() })
	if failed.Load() != 50 {
		t.Errorf("%d of 50 tasks ended as failed", failed.Load())
	}
}

// TestPanicInTheEndOfADroppedTask: it is reported, nothing is lost, and the
// program goes on.
func TestPanicInTheEndOfADroppedTask(t *testing.T) {
	e := unaided(t, Config{Workers: 2})
	j := open(t, e, JobConfig{})
	var ended atomic.Int64
	started := make(chan struct{})
	tasks := NewTasks(j, blockRuntime{started}, func(s task.Spec, o task.Outcome) {
		ended.Add(1)
		panic("in the end")
	})
	for i := range task.ID(2000) {
		tasks.Submit(t.Context(), task.Spec{ID: i, Kind: task.KindFunc})
	}
	<-started
	soon(t, e, func() { j.Cancel(nil) })
	end(t, j, ErrCancelled)
	if ended.Load() != 2000 || j.Stats().Failed != 2000 {
		t.Errorf("%d tasks ended; %+v", ended.Load(), j.Stats())
	}
}

// TestJobIsNotOverBeforeItsDroppedTasksEnded: Done comes after the last ended.
func TestJobIsNotOverBeforeItsDroppedTasksEnded(t *testing.T) {
	e := unaided(t, Config{Workers: 1})
	j := open(t, e, JobConfig{})
	started, dropping, goOn := make(chan struct{}), make(chan struct{}), make(chan struct{})
	bag := NewBag(j, func(c *Ctx, i int) {
		close(started)
		<-c.Context().Done()
	})
	bag.dropped = func(i int) { close(dropping); <-goOn }
	bag.Submit(t.Context(), 0)
	<-started
	bag.Submit(t.Context(), 1)
	j.Close()
	go j.Cancel(nil)
	<-dropping
	quiet(t, e)
	select {
	case <-j.Done():
		t.Error("the job is over while a task of it is being dropped")
	default:
	}
	close(goOn)
	end(t, j, ErrCancelled)
}

// TestCancelledJobEndsWithoutClose, as NewJob says.
func TestCancelledJobEndsWithoutClose(t *testing.T) {
	e := unaided(t, Config{Workers: 1})
	j := open(t, e, JobConfig{})
	j.Cancel(nil)
	soon(t, e, func() { <-j.Done() })
}

// TestRangesOfAnySize: empty, backwards, negative, huge, too huge.
func TestRangesOfAnySize(t *testing.T) {
	e := unaided(t, Config{Workers: 2})
	j := open(t, e, JobConfig{})
	var sum, n atomic.Int64
	bag := NewBag(j, func(_ *Ctx, i int) { sum.Add(int64(i)); n.Add(1) })
	for _, r := range [][2]int{{0, 0}, {5, 5}, {7, 3}, {math.MaxInt, math.MinInt}, {-100, 101}, {math.MinInt, math.MinInt + 3}, {math.MaxInt - 3, math.MaxInt}} {
		if err := SubmitRange(t.Context(), bag, r[0], r[1]); err != nil {
			t.Errorf("%v: %v", r, err)
		}
	}
	for _, s := range [][]int{nil, {}, {1000}} {
		if err := bag.SubmitSlice(t.Context(), s); err != nil {
			t.Error(err)
		}
	}
	end(t, j, nil)
	low, high := math.MinInt, math.MaxInt
	if want := int64(1000 + low + low + 1 + low + 2 + high - 3 + high - 2 + high - 1); sum.Load() != want || n.Load() != 208 {
		t.Errorf("%d tasks, sum %d, want %d", n.Load(), sum.Load(), want)
	}

	j = open(t, e, JobConfig{MaxQueued: math.MaxInt})
	bag = NewBag(j, func(_ *Ctx, i int) {})
	if SubmitRange(t.Context(), bag, math.MinInt, math.MaxInt) == nil {
		t.Error("a range of 2^64-1 tasks was accepted")
	}
	if err := SubmitRange(t.Context(), bag, 0, math.MaxInt-1<<20); err != nil {
		t.Error(err)
	}
	if SubmitRange(t.Context(), bag, 0, math.MaxInt/2) == nil {
		t.Error("more than 2^63-1 tasks were accepted")
	}
	if q := j.Stats().Queued; q < 0 {
		t.Errorf("%d queued", q)
	}
	j.Cancel(nil)
	end(t, j, ErrCancelled)
}

// TestSubmittersThatGiveUpLeaveNothing: not even a channel.
func TestSubmittersThatGiveUpLeaveNothing(t *testing.T) {
	e := unaided(t, Config{Workers: 1})
	j := open(t, e, JobConfig{MaxQueued: 1})
	release := make(chan struct{})
	bag := NewBag(j, func(*Ctx, int) { <-release })
	SubmitRange(t.Context(), bag, 0, 10)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for range 100 {
		if err := bag.Submit(gone, 0); !errors.Is(err, context.Canceled) {
			t.Errorf("a submitter from outside did not wait for room: %v", err)
			break
		}
	}
	j.in.mu.Lock()
	if n := len(j.in.waiting); n > 0 {
		t.Errorf("%d waiters are left", n)
	}
	j.in.mu.Unlock()
	close(release)
	end(t, j, nil)
}

// TestTaskSubmitsToItsOwnFullBag: in every way, with the inbox full and the job
// closed, on one worker, and each panic fails its own task.
func TestTaskSubmitsToItsOwnFullBag(t *testing.T) {
	e := unaided(t, Config{Workers: 1})
	j := open(t, e, JobConfig{MaxQueued: 1})
	var ran atomic.Int64
	var bag *Bag[int]
	closed := make(chan struct{})
	bag = NewBag(j, func(c *Ctx, i int) {
		if i == 0 {
			<-closed
			for k := range 20 {
				if err := bag.Submit(c.Context(), k+1); err != nil {
					t.Error(err)
				}
			}
			if err := SubmitRange(c.Context(), bag, 100, 200); err != nil {
				t.Error(err)
			}
			if err := bag.SubmitSlice(c.Context(), []int{200, 201}); err != nil {
				t.Error(err)
			}
		}
		if i == 7 {
			panic("seven")
		}
		ran.Add(1)
	})
	bag.Submit(t.Context(), 0)
	j.Close()
	close(closed)
	soon(t, e, func() { <-j.Done() })
	if s := j.Stats(); ran.Load() != 122 || s.Failed != 1 || s.Ran != 123 {
		t.Errorf("%d tasks ran to their end; %+v", ran.Load(), s)
	}
}

// TestBottomlessSubmissionIsAnError, not the end of the program.
func TestBottomlessSubmissionIsAnError(t *testing.T) {
	e := unaided(t, Config{Workers: 1})
	j := open(t, e, JobConfig{MaxQueued: 1})
	var bag *Bag[int]
	var deep atomic.Int64
	bag = NewBag(j, func(c *Ctx, i int) {
		if err := bag.Submit(c.Context(), i+1); err != nil {
			if !errors.Is(err, ErrTooDeep) {
				t.Error(err)
			}
			deep.Add(1)
			j.Cancel(nil)
		}
	})
	bag.Submit(t.Context(), 0)
	end(t, j, ErrCancelled)
	if deep.Load() == 0 {
		t.Error("no task was too deep")
	}
}

// TestNeedsHoldForTasksThatTasksSubmit: running at once must not go round
// admission.
func TestNeedsHoldForTasksThatTasksSubmit(t *testing.T) {
	e := unaided(t, Config{Workers: 2, Memory: 100})
	j := open(t, e, JobConfig{MaxQueued: 1})
	var held, worst, ran atomic.Int64
	var bag *Bag[int]
	bag = NewBag(j, func(c *Ctx, i int) {
		worst.Store(max(worst.Load(), held.Add(60)))
		if i < 5 {
			for k := range 4 {
				if err := bag.Submit(c.Context(), 10+k); err != nil {
					t.Error(err)
				}
			}
		}
		ran.Add(1)
		held.Add(-60)
	})
	if err := bag.SetNeeds(task.Resources{Memory: 60}); err != nil {
		t.Fatal(err)
	}
	SubmitRange(t.Context(), bag, 0, 5)
	end(t, j, nil)
	if worst.Load() > 100 || ran.Load() != 25 {
		t.Errorf("%d tasks ran and held up to %d", ran.Load(), worst.Load())
	}
}

// TestBlockInsideBlock lends the worker once.
func TestBlockInsideBlock(t *testing.T) {
	e := unaided(t, Config{Workers: 1})
	j := open(t, e, JobConfig{})
	bag := NewBag(j, func(c *Ctx, i int) {
		c.Block(func() {
			c.Block(runtime.Gosched)
			if c.ShouldYield() || c.Worker() != 0 {
				t.Error("wrong")
			}
		})
	})
	SubmitRange(t.Context(), bag, 0, 50)
	end(t, j, nil)
	quiet(t, e)
}

// TestChildrenOfAPieceWhoseTurnIsOver: they wait for a turn, and its time is
// paid for.
func TestChildrenOfAPieceWhoseTurnIsOver(t *testing.T) {
	e := unaided(t, Config{Workers: 1, Slice: 300 * time.Microsecond})
	rival := open(t, e, JobConfig{Name: "rival"})
	SubmitRange(t.Context(), NewBag(rival, func(*Ctx, int) { spins(10 * time.Microsecond) }), 0, 1<<40)
	j := open(t, e, JobConfig{Name: "tested"})
	var right atomic.Int64
	bag := NewBag(j, func(c *Ctx, i int) { later.Spawn(c, &right); spins(3 * time.Microsecond) })
	const n = 2000
	SubmitRange(t.Context(), bag, 0, n)
	end(t, j, nil)
	if right.Load() != n {
		t.Errorf("%d of %d children ran to their end", right.Load(), n)
	}
	rival.Cancel(nil)
	end(t, rival, ErrCancelled)
}

// later spawns more often than a stack looks at the clock.
var later = Define(func(c *Ctx, right *atomic.Int64) int {
	if fibBody(c, 9) == 34 {
		right.Add(1)
	}
	return 0
})

// TestJoinAfterAPanicIsAnError, not a hang.
func TestJoinAfterAPanicIsAnError(t *testing.T) {
	e := unaided(t, Config{Workers: 1})
	j := open(t, e, JobConfig{})
	bag := NewBag(j, func(c *Ctx, i int) {
		child := goesBang.Spawn(c, 0)
		for range 2 {
			func() {
				defer func() {
					if recover() == nil {
						t.Error("no panic")
					}
				}()
				child.Join(c)
			}()
		}
	})
	bag.Submit(t.Context(), 0)
	end(t, j, nil)
}

var goesBang = Define(func(*Ctx, int) int { panic("bang") })

// TestSpawnOrJoinInsideBlockIsAnError if it needs the worker that was lent.
func TestSpawnOrJoinInsideBlockIsAnError(t *testing.T) {
	e := unaided(t, Config{Workers: 1})
	j := open(t, e, JobConfig{})
	bag := NewBag(j, func(c *Ctx, i int) { c.Block(func() { fibBody(c, 12) }) })
	SubmitRange(t.Context(), bag, 0, 10)
	end(t, j, errLent)
	quiet(t, e)
}

// TestPlaceThatWasFoundEmptyAndHasANewStack: who looks again must see what the
// new one has pushed, and put the job back into the line.
func TestPlaceThatWasFoundEmptyAndHasANewStack(t *testing.T) {
	e := unaided(t, Config{Workers: 1})
	j := open(t, e, JobConfig{MaxWorkers: 1})
	e.ctxMu.Lock()
	s := e.newStack() // the place is that of a stack that has gone
	e.ctxMu.Unlock()
	j.present.Mark(s.place) // and has left its mark
	s.attach(j)
	var ran atomic.Int64
	counts.Spawn(s, &ran) // sees the mark and announces nothing
	thief := &Ctx{e: e}
	e.mu.Lock()
	j.fair.SetWant(false) // somebody has looked while the mark was cleared
	e.mu.Unlock()
	defer e.wg.Done()
	defer e.retireStack(s)
	if thief.vacate(j, s.place) || !j.present.Marked(s.place) {
		t.Fatal("the place counts as empty")
	}
	soon(t, e, func() {
		for ran.Load() == 0 {
			runtime.Gosched()
		}
	})
	end(t, j, nil)
}

// TestRepeatedForkJoinHasItsShare: a fork-join can be cut at every spawn and
// join, so its length is no time to pay ahead.
func TestRepeatedForkJoinHasItsShare(t *testing.T) {
	virtual(t, Config{}, func(t *testing.T, e *Engine) {
		tree, bag := open(t, e, JobConfig{Name: "tree"}), open(t, e, JobConfig{Name: "bag"})
		saturate(t, bag, time.Millisecond)
		go func() {
			for {
				if _, err := napping.Call(context.Background(), tree, 12); err != nil {
					return
				}
			}
		}()
		time.Sleep(time.Second)
		shares(t, []*Job{tree, bag}, []float64{1, 1}, 2, 0.98, 0)
	})
}

// TestBlockedTimeIsNotPaidAhead: nor is the time that a task does not hold a
// core.
func TestBlockedTimeIsNotPaidAhead(t *testing.T) {
	virtual(t, Config{Workers: 4}, func(t *testing.T, e *Engine) {
		waits, bag := open(t, e, JobConfig{Name: "waits"}), open(t, e, JobConfig{Name: "bag"})
		saturate(t, bag, time.Millisecond)
		b := NewBag(waits, func(c *Ctx, _ int) {
			c.Block(func() { time.Sleep(100 * time.Millisecond) })
			time.Sleep(time.Millisecond)
		})
		if err := SubmitRange(t.Context(), b, 0, 1000); err != nil { // 1 s of work
			t.Fatal(err)
		}
		time.Sleep(500 * time.Millisecond)
		if got := service(waits)[0]; got < 780*time.Millisecond {
			t.Errorf("a job that is owed half of 4 cores had %v in 500 ms", got)
		}
	})
}

// TestWideTaskPaysForAllItsCores, all the time that it holds them, and for no
// others.
func TestWideTaskPaysForAllItsCores(t *testing.T) {
	virtual(t, Config{Workers: 4}, func(t *testing.T, e *Engine) {
		j, other := open(t, e, JobConfig{}), open(t, e, JobConfig{Name: "other"})
		b := NewBag(j, func(c *Ctx, _ int) {
			time.Sleep(100 * time.Millisecond)
			c.Block(func() { time.Sleep(100 * time.Millisecond) })
		})
		if err := b.SetNeeds(task.Resources{Cores: 3}); err != nil {
			t.Fatal(err)
		}
		saturate(t, other, time.Millisecond)
		time.Sleep(10 * time.Millisecond)
		b.Submit(t.Context(), 0)
		j.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if err := j.Wait(ctx); err != nil {
			t.Fatalf("a wide task does not go on beside an endless rival: %v", err)
		}
		time.Sleep(10 * time.Millisecond)
		if got, want := service(j)[0], 500*time.Millisecond; got < want || got > want+10*time.Millisecond {
			t.Errorf("3 cores for 100 ms and 2 for another 100 ms cost %v", got)
		}
	})
}

// TestChildrenOfChildrenDoNotStarveTheInbox: on one worker, without a rival.
func TestChildrenOfChildrenDoNotStarveTheInbox(t *testing.T) {
	e := unaided(t, Config{Workers: 1})
	j := open(t, e, JobConfig{})
	var stop atomic.Bool
	var spawned atomic.Int64
	bag := NewBag(j, func(c *Ctx, i int) {
		if i == 0 {
			chain.Spawn(c, chainArg{&stop, &spawned}) // not joined
			return
		}
		stop.Store(true)
	})
	bag.Submit(t.Context(), 0)
	soon(t, e, func() {
		for spawned.Load() < 1000 {
			runtime.Gosched()
		}
	})
	bag.Submit(t.Context(), 1)
	end(t, j, nil)
	if n := spawned.Load(); n >= MaxDepth {
		t.Errorf("the piece in the inbox waited for %d children", n) // and ErrTooDeep ended them
	}
}

type chainArg struct {
	stop    *atomic.Bool
	spawned *atomic.Int64
}

// chain spawns itself until it is told to stop, and joins nothing.
var chain *Fn[chainArg, int]

func init() {
	chain = Define(func(c *Ctx, a chainArg) int {
		if !a.stop.Load() {
			a.spawned.Add(1)
			chain.Spawn(c, a)
		}
		return 0
	})
}

// TestLongJoinsEndTheTurn: a task that has spawned long children and only joins
// gives way as well.
func TestLongJoinsEndTheTurn(t *testing.T) {
	virtual(t, Config{Workers: 1}, func(t *testing.T, e *Engine) {
		j, rival := open(t, e, JobConfig{}), open(t, e, JobConfig{Name: "rival"})
		bag := NewBag(j, func(c *Ctx, _ int) {
			kids := make([]*Child[int, int], 100)
			for i := range kids {
				kids[i] = naps.Spawn(c, 5)
			}
			for _, k := range slices.Backward(kids) {
				k.Join(c)
			}
		})
		if err := SubmitRange(t.Context(), bag, 0, 3); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond)
		saturate(t, rival, time.Millisecond)
		time.Sleep(200 * time.Millisecond)
		if got := service(rival)[0]; got < 70*time.Millisecond {
			t.Errorf("the rival had %v of 200 ms", got)
		}
	})
}

// naps sleeps for so many milliseconds.
var naps = Define(func(c *Ctx, ms int) int { time.Sleep(time.Duration(ms) * time.Millisecond); return 0 })

// TestTasksThatRunForMonthsStillPay: virtual time does not overflow.
func TestTasksThatRunForMonthsStillPay(t *testing.T) {
	q := fair.NewQueue(DefaultSlice)
	for range 2 {
		q.Root().NewJob(1024, 1).SetWant(true)
	}
	turn, _ := q.Take()
	long := turn.Job
	q.Settle(turn, 150*24*time.Hour)
	for range 1000 {
		if turn, _ = q.Take(); turn.Job == long {
			t.Fatal("a job that has run for 150 days comes first again")
		}
		q.Settle(turn, time.Second)
	}
}

// TestMoreBlockedStacksThanPlaces: those without a place run their children
// inline and lose nothing.
func TestMoreBlockedStacksThanPlaces(t *testing.T) {
	const n = park.Places + 200
	e := unaided(t, Config{Workers: 2})
	j := open(t, e, JobConfig{})
	var blocked atomic.Int64
	release := make(chan struct{})
	var right atomic.Int64
	bag := NewBag(j, func(c *Ctx, i int) {
		c.Block(func() {
			if blocked.Add(1) == n {
				close(release)
			}
			<-release
		})
		if fibBody(c, 10) == 55 {
			right.Add(1)
		}
	})
	SubmitRange(t.Context(), bag, 0, n)
	end(t, j, nil)
	if right.Load() != n {
		t.Errorf("%d of %d tasks were right", right.Load(), n)
	}
	quiet(t, e)
	e.ctxMu.Lock()
	if len(e.spare) > maxSpareStacks {
		t.Errorf("%d stacks are kept", len(e.spare))
	}
	e.ctxMu.Unlock()
}

// TestCallFromInsideATask: with its worker lent, on one worker.
func TestCallFromInsideATask(t *testing.T) {
	e := unaided(t, Config{Workers: 1})
	j, other := open(t, e, JobConfig{}), open(t, e, JobConfig{})
	bag := NewBag(j, func(c *Ctx, i int) {
		c.Block(func() {
			for _, k := range []*Job{j, other} {
				if r, err := fib.Call(c.Context(), k, 10); r != 55 || err != nil {
					t.Errorf("fib(10) = %d, %v", r, err)
				}
			}
		})
	})
	SubmitRange(t.Context(), bag, 0, 20)
	end(t, j, nil)
	end(t, other, nil)
}

// TestChaos does everything at once, and wants each submitted task to have
// ended exactly once, run or dropped, and nothing to be left.
func TestChaos(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	for range 40 {
		e := unaided(t, Config{Workers: 1 + rng.IntN(5), Memory: 100, Slice: time.Duration(1 + rng.IntN(200_000))})
		var jobs []*chaosJob
		for i := range 1 + rng.IntN(5) {
			jobs = append(jobs, newChaosJob(t, e, rng, i))
		}
		for range rng.IntN(60) {
			switch k := jobs[rng.IntN(len(jobs))]; rng.IntN(8) {
			case 0:
				k.Cancel(nil)
			case 1:
				e.SetTenant(k.tenant, rng.IntN(40)-20)
			case 2, 3:
				e.Resize(1 + rng.IntN(6))
			default:
				runtime.Gosched()
			}
			e.mu.Lock()
			if err := e.invariant(); err != nil {
				t.Error(err)
			}
			e.mu.Unlock()
		}
		if rng.IntN(4) == 0 {
			soon(t, e, func() { e.Close() })
		}
		for _, k := range jobs {
			k.Close()
			soon(t, e, func() { <-k.Done(); <-k.submitted })
			if a, b := k.accepted.Load(), k.ended.Load(); a != b {
				t.Errorf("%d tasks were accepted and %d ended: %+v\n%s", a, b, k.Stats(), e.describe())
			}
		}
		if !e.closed {
			quiet(t, e)
		}
		soon(t, e, func() { e.Close() })
	}
}

// A chaosJob counts what it has accepted and what has ended.
type chaosJob struct {
	*Job
	tenant          string
	accepted, ended atomic.Int64
	submitted       chan struct{}
}

func newChaosJob(t *testing.T, e *Engine, rng *rand.Rand, i int) *chaosJob {
	k := &chaosJob{tenant: []string{"a", "b"}[i%2], submitted: make(chan struct{})}
	k.Job = open(t, e, JobConfig{Tenant: k.tenant, Nice: rng.IntN(40) - 20, MaxWorkers: rng.IntN(4), MaxQueued: 1 + rng.IntN(300)})
	var bag *Bag[int]
	bag = NewBag(k.Job, func(c *Ctx, i int) {
		k.ended.Add(1)
		k.misbehave(c, i, bag)
	})
	bag.dropped = func(int) { k.ended.Add(1) }
	needs := []task.Resources{{}, {}, {Memory: 40}, {Memory: 70}, {Cores: 2}, {Cores: 3, Memory: 50}}[rng.IntN(6)]
	needs.Cores = min(needs.Cores, e.Workers())
	if err := bag.SetNeeds(needs); err != nil {
		t.Error(err)
	}
	n, ranges := 50+rng.IntN(500), rng.IntN(2)*rng.IntN(300)
	go func() {
		defer close(k.submitted)
		k.accepted.Add(int64(ranges))
		if SubmitRange(context.Background(), bag, 0, ranges) != nil {
			k.accepted.Add(-int64(ranges))
		}
		for i := range n {
			k.submit(context.Background(), bag, i)
		}
	}()
	return k
}

func (k *chaosJob) submit(ctx context.Context, bag *Bag[int], i int) {
	k.accepted.Add(1)
	if bag.Submit(ctx, i) != nil {
		k.accepted.Add(-1)
	}
}

// misbehave does what tasks do, and what they should not do.
func (k *chaosJob) misbehave(c *Ctx, i int, bag *Bag[int]) {
	rng := rand.New(rand.NewPCG(uint64(i), 3))
	var ran atomic.Int64
	switch rng.IntN(30) {
	case 0:
		panic("chaos")
	case 1:
		runtime.Goexit()
	case 2:
		c.Block(runtime.Gosched)
	case 3:
		c.Block(func() { panic("blocked chaos") })
	case 4:
		c.Block(runtime.Goexit)
	case 5:
		goexits.Spawn(c, 0).Join(c)
	case 6, 7:
		explode.Spawn(c, 5).Join(c)
	case 8, 9, 10:
		tangle.Spawn(c, tangleArg{uint64(i), 5, &ran}) // not joined
	case 11, 12:
		tangle.Spawn(c, tangleArg{uint64(i), 5, &ran}).Join(c)
	case 13:
		k.submit(c.Context(), bag, 1<<20)
	case 14:
		k.accepted.Add(2)
		if bag.SubmitSlice(c.Context(), []int{1 << 21, 1 << 22}) != nil {
			k.accepted.Add(-2)
		}
	}
}

// TestOverrunsAreChargedAsTheyHappen: not when the task at last ends.
func TestOverrunsAreChargedAsTheyHappen(t *testing.T) {
	virtual(t, Config{Workers: 2}, func(t *testing.T, e *Engine) {
		long := open(t, e, JobConfig{Tenant: "a", MaxWorkers: 1})
		quick, rival := open(t, e, JobConfig{Tenant: "a"}), open(t, e, JobConfig{Tenant: "b"})
		saturate(t, long, 500*time.Millisecond)
		time.Sleep(time.Millisecond) // it has a worker
		saturate(t, quick, time.Millisecond)
		saturate(t, rival, time.Millisecond)
		time.Sleep(250 * time.Millisecond)
		if got := service(rival)[0]; got < 200*time.Millisecond {
			t.Errorf("the other tenant had %v of 250 ms on the core that a long task does not hold", got)
		}
	})
}

// TestSubstitutesLeaveAnIdleEngine: as many workers stay as were asked for.
func TestSubstitutesLeaveAnIdleEngine(t *testing.T) {
	e := newEngine(t, Config{Workers: 2, load: func() (time.Duration, int, bool) { return 0, 0, true }})
	j := open(t, e, JobConfig{})
	var most atomic.Int64
	bag := NewBag(j, func(*Ctx, int) {
		most.Store(max(most.Load(), int64(workersOf(e))))
		time.Sleep(20 * time.Millisecond)
	})
	SubmitRange(t.Context(), bag, 0, 100)
	end(t, j, nil)
	if most.Load() <= 2 {
		t.Error("nobody was substituted")
	}
	quiet(t, e)
}

// TestNoLockIsHeldWhileUserCodeRuns, wherever it runs.
func TestNoLockIsHeldWhileUserCodeRuns(t *testing.T) {
	e := unaided(t, Config{Workers: 2, Memory: 10})
	j := open(t, e, JobConfig{})
	free := func(where string) {
		for _, mu := range []*sync.Mutex{&e.mu, &e.ctxMu, &j.in.mu} {
			start := time.Now()
			for !mu.TryLock() { // others hold it for a moment
				if time.Since(start) > patience/50 {
					panic("a lock is held while user code runs " + where)
				}
				runtime.Gosched()
			}
			mu.Unlock()
		}
	}
	child := Define(func(c *Ctx, _ int) int { free("in a child"); return 0 })
	run := func(c *Ctx, i int) {
		free("in a task")
		a := child.Spawn(c, 0)
		child.Spawn(c, 0)
		c.Block(func() { free("in Block") })
		a.Join(c)
	}
	for _, n := range []task.Resources{{}, {Memory: 6}, {Cores: 2}} {
		bag := NewBag(j, run)
		if err := bag.SetNeeds(n); err != nil {
			t.Fatal(err)
		}
		SubmitRange(t.Context(), bag, 0, 100)
		for i := range 20 {
			bag.Submit(t.Context(), i)
		}
	}
	last := NewBag(j, func(c *Ctx, i int) { j.Cancel(nil) })
	last.dropped = func(int) { free("in the end of a dropped task") }
	for i := range 5 {
		last.Submit(t.Context(), i)
	}
	end(t, j, ErrCancelled)
	if err := j.failures.err(); err != nil {
		t.Error(err)
	}
}

// TestWatchdogSleepsWithTheWorkers: it does not even see that something is wrong.
func TestWatchdogSleepsWithTheWorkers(t *testing.T) {
	virtual(t, Config{Workers: 2, Memory: 1}, func(t *testing.T, e *Engine) {
		j := open(t, e, JobConfig{})
		NewBag(j, func(*Ctx, int) { time.Sleep(50 * time.Millisecond) }).Submit(t.Context(), 0)
		time.Sleep(time.Second)
		e.mu.Lock()
		e.held = -1
		e.mu.Unlock()
		time.Sleep(time.Hour)
		e.mu.Lock()
		if e.broken {
			t.Error("the watchdog looked in an idle hour")
		}
		e.held = 0
		e.mu.Unlock()
	})
}
