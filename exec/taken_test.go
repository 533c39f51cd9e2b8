package exec

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// takeOldest takes the oldest child of any stack of j.
func takeOldest[A, R any](f *Fn[A, R], j *Job) (t Taken[A, R], ok bool) {
	j.Oldest(func(place int, number uint64) bool {
		t, ok = f.TakeAt(j, place, number)
		return !ok
	})
	return t, ok
}

// TestTakenChildrenAreJoined: an exporter takes whatever it can get of a fork-join while workers steal, and
// finishes it from goroutines of its own.
func TestTakenChildrenAreJoined(t *testing.T) {
	for _, workers := range []int{1, 2, 4} {
		e := newEngine(t, Config{Workers: workers})
		j := open(t, e, JobConfig{})
		over := make(chan struct{})
		var exporter, remote sync.WaitGroup
		taken := 0
		exporter.Go(func() {
			for {
				select {
				case <-over:
					return
				default:
				}
				child, ok := takeOldest(politeFib, j)
				if !ok {
					runtime.Gosched()
					continue
				}
				taken++
				remote.Go(func() { child.Finish(plainFib(child.Arg())) })
			}
		})
		for range 50 {
			if r, err := politeFib.Call(t.Context(), j, 16); r != 987 || err != nil {
				t.Fatalf("fib(16) on %d workers = %d, %v", workers, r, err)
			}
		}
		close(over)
		exporter.Wait()
		remote.Wait()
		if err := finish(t, j); err != nil {
			t.Error(err)
		}
		t.Logf("%d workers: %d children were taken", workers, taken)
		if taken == 0 {
			t.Error("nothing was taken")
		}
	}
}

// politeFib lets others run now and then, also on a machine with few cores.
var politeFib *Fn[int, int]

func init() {
	politeFib = Define(func(c *Ctx, n int) int {
		if n < 2 {
			return n
		}
		a := politeFib.Spawn(c, n-1)
		b := politeFib.Spawn(c, n-2)
		if n > 10 {
			runtime.Gosched()
		}
		return b.Join(c) + a.Join(c)
	})
}

func plainFib(n int) int {
	if n < 2 {
		return n
	}
	return plainFib(n-1) + plainFib(n-2)
}

// pair spawns two children, tells their parent's state to a test, and joins them when it says so.
type pair struct {
	spawned, join chan struct{}
	joins         bool
}

var (
	pairParent *Fn[*pair, int]
	pairChild  *Fn[*pair, int]
)

func init() {
	pairChild = Define(func(*Ctx, *pair) int { return 1 })
	pairParent = Define(func(c *Ctx, p *pair) int {
		a, b := pairChild.Spawn(c, p), pairChild.Spawn(c, p)
		p.spawned <- struct{}{}
		<-p.join
		if !p.joins {
			return 0
		}
		return b.Join(c) + a.Join(c)
	})
}

// holding runs a pair on an engine of one worker in virtual time.
func holding(t *testing.T, joins bool, test func(e *Engine, j *Job, p *pair, result chan int)) {
	synctest.Test(t, func(t *testing.T) {
		e, err := New(Config{Workers: 1, load: func() (time.Duration, int, bool) { return 0, 0, false }})
		if err != nil {
			t.Fatal(err)
		}
		j := open(t, e, JobConfig{})
		p := &pair{make(chan struct{}), make(chan struct{}), joins}
		result := make(chan int, 1)
		go func() {
			r, _ := pairParent.Call(context.Background(), j, p)
			result <- r
		}()
		<-p.spawned
		test(e, j, p, result)
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
}

func oldestOf(t *testing.T, j *Job) (place int, number uint64) {
	t.Helper()
	n := 0
	j.Oldest(func(p int, k uint64) bool { place, number = p, k; n++; return true })
	if n != 1 {
		t.Fatalf("%d stacks hold children, want 1", n)
	}
	return place, number
}

// TestSameNumberIsTheSameChild: TakeAt takes the child that was looked at, or none.
func TestSameNumberIsTheSameChild(t *testing.T) {
	holding(t, true, func(e *Engine, j *Job, p *pair, result chan int) {
		place, first := oldestOf(t, j)
		if _, again := oldestOf(t, j); again != first {
			t.Error("another number for the same child")
		}
		for _, wrong := range []struct {
			place  int
			number uint64
		}{{place, first + 1}, {place, first - 1}, {place + 1, first}, {0, first}, {-1, first}, {1 << 20, first}} {
			if _, ok := pairChild.TakeAt(j, wrong.place, wrong.number); ok {
				t.Errorf("took %v for %v", wrong, first)
			}
		}
		a, ok := pairChild.TakeAt(j, place, first)
		if !ok || a.Arg() != p || a.Depth() != 1 {
			t.Fatal("did not take what was there")
		}
		if _, ok := pairChild.TakeAt(j, place, first); ok {
			t.Error("took it twice")
		}
		if _, second := oldestOf(t, j); second == first {
			t.Error("the same number for another child")
		}
		close(p.join)
		synctest.Wait()
		if e.Idle() != 1 {
			t.Errorf("%d workers sleep while the only task waits for a child elsewhere", e.Idle())
		}
		a.Finish(41)
		if r := <-result; r != 42 {
			t.Errorf("the parent got %d", r)
		}
	})
}

// TestJobIsNotOverBeforeTakenChildrenAre: also if nobody joins them.
func TestJobIsNotOverBeforeTakenChildrenAre(t *testing.T) {
	holding(t, false, func(e *Engine, j *Job, p *pair, result chan int) {
		child, ok := takeOldest(pairChild, j)
		if !ok {
			t.Fatal("nothing to take")
		}
		j.Close()
		close(p.join)
		<-result
		synctest.Wait()
		select {
		case <-j.Done():
			t.Fatal("the job is over, though a child runs elsewhere")
		default:
		}
		child.Finish(0)
		<-j.Done()
	})
}

// TestCloseWaitsForTakenChildren: who took one finishes it when its job is cancelled, and nothing is taken
// any more.
func TestCloseWaitsForTakenChildren(t *testing.T) {
	holding(t, true, func(e *Engine, j *Job, p *pair, result chan int) {
		child, ok := takeOldest(pairChild, j)
		if !ok {
			t.Fatal("nothing to take")
		}
		closed := make(chan struct{})
		go func() { e.Close(); close(closed) }()
		<-j.Context().Done()
		synctest.Wait()
		if _, ok := takeOldest(pairChild, j); ok {
			t.Error("took a child of a cancelled job")
		}
		select {
		case <-closed:
			t.Fatal("Close has forgotten the children")
		default:
		}
		close(p.join)
		synctest.Wait()
		select {
		case <-closed:
			t.Fatal("Close has forgotten the child that was taken")
		default:
		}
		child.Finish(1)
		<-closed
		if r := <-result; r != 2 {
			t.Errorf("the parent got %d", r)
		}
	})
}

// TestTakeAtTellsOfAnotherFunction: it would take a frame for what it is not. The child fails, so that nobody waits
// for it.
func TestTakeAtTellsOfAnotherFunction(t *testing.T) {
	holding(t, true, func(e *Engine, j *Job, p *pair, result chan int) {
		func() {
			defer func() {
				if err, _ := recover().(error); !errors.Is(err, errOtherFunction) {
					t.Errorf("got %v", err)
				}
			}()
			takeOldest(fib, j)
		}()
		close(p.join)
		<-result
	})
}

// TestOnlyTheTasksGoroutineIsCurrent.
func TestOnlyTheTasksGoroutineIsCurrent(t *testing.T) {
	e := newEngine(t, Config{Workers: 2})
	j := open(t, e, JobConfig{})
	var kept atomic.Pointer[Ctx]
	bag := NewBag(j, func(c *Ctx, i int) {
		if !c.Current() {
			t.Error("a task's own goroutine is not current")
		}
		if last := kept.Swap(c); last != nil && last != c && last.Current() {
			t.Error("another stack is current")
		}
		other := make(chan bool)
		go func() { other <- c.Current() }()
		if <-other {
			t.Error("a goroutine that the task has started is current")
		}
		c.Block(func() {
			if c.Current() {
				t.Error("current inside Block")
			}
		})
		if i%3 == 0 {
			defer func() {
				if !c.Current() {
					t.Error("a deferred call is not current")
				}
			}()
			runtime.Goexit() // the stack goes on with another goroutine
		}
		a, b := fib.Spawn(c, 10), fib.Spawn(c, 11)
		if a.Join(c)+b.Join(c) != 144 || !c.Current() {
			t.Error("not current after a join")
		}
	})
	SubmitRange(t.Context(), bag, 0, 300)
	finish(t, j)
	if kept.Load().Current() {
		t.Error("the test's goroutine is current")
	}
}

// TestIdleHookHasTheLastWord: calls come one by one, tell each number only once, and when all stands still the
// last one was right.
func TestIdleHookHasTheLastWord(t *testing.T) {
	for workers := 1; workers <= 4; workers++ {
		synctest.Test(t, func(t *testing.T) {
			inside, calls, told := atomic.Int32{}, 0, 0
			e, err := New(Config{Workers: workers, load: func() (time.Duration, int, bool) { return 0, 0, false }, Idle: func(n int) {
				if inside.Add(1) != 1 {
					t.Error("two calls at once")
				}
				if calls++; n == told {
					t.Errorf("%d was told twice in a row", n)
				}
				told = n
				inside.Add(-1)
			}})
			if err != nil {
				t.Fatal(err)
			}
			steady := func(want int) {
				t.Helper()
				synctest.Wait()
				if e.Idle() != want || told != want {
					t.Errorf("%d of %d workers sleep, Idle says %d and the hook %d", want, workers, e.Idle(), told)
				}
			}
			steady(workers)
			j := open(t, e, JobConfig{})
			hold, more := make(chan struct{}), make(chan struct{})
			bag := NewBag(j, func(_ *Ctx, i int) {
				switch {
				case i < workers-1:
					<-hold
				case i == workers+20:
					<-more
				}
			})
			for i := range workers + 20 {
				bag.Submit(t.Context(), i)
			}
			steady(1)
			bag.Submit(t.Context(), workers+20)
			steady(0)
			close(more)
			steady(1)
			close(hold)
			steady(workers)
			if err := e.Resize(workers + 3); err != nil {
				t.Fatal(err)
			}
			steady(workers + 3)
			if err := e.Resize(1); err != nil {
				t.Fatal(err)
			}
			steady(1)
			before := calls
			time.Sleep(time.Hour)
			if calls != before {
				t.Error("the hook is called in an idle hour")
			}
			if err := e.Close(); err != nil {
				t.Error(err)
			}
			steady(0)
		})
	}
}
