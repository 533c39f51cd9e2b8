package exec

import (
	"context"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/filchsched/filch/exec/task"
)

// TestIdleEngineUsesNothing: in an hour with nothing to do no goroutine of the
// engine runs, and the watchdog does not tick.
func TestIdleEngineUsesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ticks := 0
		e, err := New(Config{Workers: 8, load: func() (time.Duration, int, bool) { ticks++; return 0, 0, false }})
		if err != nil {
			t.Fatal(err)
		}
		j := open(t, e, JobConfig{})
		bag := NewBag(j, func(*Ctx, int) { time.Sleep(time.Millisecond) })
		SubmitRange(t.Context(), bag, 0, 1000)
		j.Close()
		j.Wait(t.Context())
		time.Sleep(time.Second)
		before, events := ticks, e.events.Load()
		if before == 0 {
			t.Error("the watchdog did not look while the engine was busy")
		}
		time.Sleep(time.Hour)
		if ticks != before || e.events.Load() != events {
			t.Errorf("the watchdog looked %d times in an idle hour", ticks-before)
		}
		e.mu.Lock()
		if e.lot.Idle() != 8 || !e.asleep {
			t.Errorf("%d of 8 workers sleep, watchdog asleep: %v", e.lot.Idle(), e.asleep)
		}
		e.mu.Unlock()
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestQueuedWorkAndIdleWorkerImplySearcher: whenever everything stands still
// in virtual time, no worker sleeps beside work that it could do.
func TestQueuedWorkAndIdleWorkerImplySearcher(t *testing.T) {
	for seed := range uint64(30) {
		synctest.Test(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 7))
			e, err := New(Config{Workers: 1 + rng.IntN(6), load: func() (time.Duration, int, bool) { return 0, 0, false }})
			if err != nil {
				t.Fatal(err)
			}
			for range 1 + rng.IntN(4) {
				j := open(t, e, JobConfig{MaxWorkers: rng.IntN(4), Nice: rng.IntN(40) - 20})
				bag := NewBag(j, func(c *Ctx, i int) {
					time.Sleep(time.Duration(i%7) * time.Millisecond)
					if i%5 == 0 {
						napping.Spawn(c, 3).Join(c)
					}
				})
				go func() {
					for i := range 200 {
						if bag.Submit(context.Background(), i) != nil {
							return
						}
						if i%17 == 0 {
							time.Sleep(time.Duration(i) * 100 * time.Microsecond)
						}
					}
					j.Close()
				}()
			}
			for range 300 {
				time.Sleep(time.Duration(rng.IntN(2_000_000)))
				synctest.Wait()
				e.mu.Lock()
				if err := e.invariant(); err != nil {
					t.Errorf("seed %d: %v", seed, err)
				}
				if e.stranded() {
					t.Errorf("seed %d: %v", seed, errStranded)
				}
				e.mu.Unlock()
			}
			if err := e.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// napping spawns a binary tree whose leaves sleep.
var napping *Fn[int, int]

func init() {
	napping = Define(func(c *Ctx, n int) int {
		if n == 0 {
			time.Sleep(300 * time.Microsecond)
			return 1
		}
		a := napping.Spawn(c, n-1)
		b := napping.Spawn(c, n-1)
		return a.Join(c) + b.Join(c) // oldest first: the hard way
	})
}

// TestFairLockIsFreeWhileTasksRun: a task can call everything that takes the
// fair lock.
func TestFairLockIsFreeWhileTasksRun(t *testing.T) {
	e := newEngine(t, Config{Workers: 2})
	j := open(t, e, JobConfig{})
	bag := NewBag(j, func(c *Ctx, i int) {
		if !e.mu.TryLock() {
			e.mu.Lock() // held by another worker for a moment
		}
		e.mu.Unlock()
		j.Stats()
		e.Workers()
	})
	SubmitRange(t.Context(), bag, 0, 1000)
	if err := finish(t, j); err != nil {
		t.Fatal(err)
	}
}

// TestAtMostThreeResumedStacksInARow: what a worker makes ready itself does
// not keep others waiting for ever.
func TestAtMostThreeResumedStacksInARow(t *testing.T) {
	c := &Ctx{e: &Engine{}, w: &worker{}}
	j := &Job{e: c.e}
	j.in.init(10)
	j.present.Mark(inboxPlace) // as if announced
	c.w.job = j
	for i := range maxNext + 2 {
		s := &Ctx{}
		s.job.Store(j)
		c.w.next = nil
		c.ready(s)
		if direct := c.w.next == s; direct != (i < maxNext) {
			t.Errorf("stack %d went on directly: %v", i, direct)
		}
	}
	if n := j.in.ready.len(); n != 2 {
		t.Errorf("%d stacks are queued, want 2", n)
	}
}

type echoRuntime struct{}

func (echoRuntime) Kind() task.Kind { return task.KindFunc }
func (echoRuntime) External() bool  { return false }
func (echoRuntime) Run(ctx context.Context, s task.Spec) task.Outcome {
	if s.ID%3 == 0 {
		panic("three")
	}
	return task.Outcome{State: task.Done, Output: []byte(s.Body.(string))}
}

func TestRuntimeTasksEndOnceEach(t *testing.T) {
	e := newEngine(t, Config{Workers: 2})
	j := open(t, e, JobConfig{})
	ended := make(chan task.State, 1000)
	tasks := NewTasks(j, echoRuntime{}, func(s task.Spec, o task.Outcome) { ended <- o.State })
	if err := tasks.Submit(t.Context(), task.Spec{Kind: "wasm"}); err == nil {
		t.Error("a task of another kind was accepted")
	}
	for i := range task.ID(300) {
		if err := tasks.Submit(t.Context(), task.Spec{ID: i, Kind: task.KindFunc, Body: "x"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := finish(t, j); err != nil {
		t.Fatal(err)
	}
	close(ended)
	count := map[task.State]int{}
	for s := range ended {
		count[s]++
	}
	if count[task.Done] != 200 || count[task.Failed] != 100 {
		t.Errorf("got %v", count)
	}
}

func TestCancelledTasksEndAsCancelled(t *testing.T) {
	e := newEngine(t, Config{Workers: 1})
	j := open(t, e, JobConfig{})
	ended := make(chan task.State, 2000)
	started := make(chan struct{})
	tasks := NewTasks(j, blockRuntime{started}, func(s task.Spec, o task.Outcome) { ended <- o.State })
	for i := range task.ID(1000) {
		tasks.Submit(t.Context(), task.Spec{ID: i, Kind: task.KindFunc})
	}
	<-started
	j.Cancel(nil)
	finish(t, j)
	close(ended)
	count := map[task.State]int{}
	for s := range ended {
		count[s]++
	}
	if n := count[task.Cancelled] + count[task.Done]; n != 1000 {
		t.Errorf("%d tasks ended: %v", n, count)
	}
}

type blockRuntime struct{ started chan struct{} }

func (blockRuntime) Kind() task.Kind { return task.KindFunc }
func (blockRuntime) External() bool  { return true }
func (b blockRuntime) Run(ctx context.Context, s task.Spec) task.Outcome {
	select {
	case b.started <- struct{}{}:
	case <-ctx.Done():
	}
	<-ctx.Done()
	return task.Outcome{State: task.Done}
}

func TestResizeFollowsWhileRunning(t *testing.T) {
	virtual(t, Config{Workers: 2}, func(t *testing.T, e *Engine) {
		j := open(t, e, JobConfig{})
		saturate(t, j, time.Millisecond)
		for _, n := range []int{8, 1, 5, 16, 3} {
			if err := e.Resize(n); err != nil {
				t.Fatal(err)
			}
			time.Sleep(20 * time.Millisecond)
			before := service(j)[0]
			time.Sleep(time.Second)
			got := service(j)[0] - before
			if want := time.Duration(n) * time.Second; got != want {
				t.Errorf("with %d workers the job had %v of slot time in a second", n, got)
			}
		}
		for _, n := range []int{0, -1, MaxWorkers + 1} {
			if err := e.Resize(n); err == nil {
				t.Errorf("Resize(%d) was accepted", n)
			}
		}
	})
}
