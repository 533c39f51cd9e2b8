package exec

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/filchsched/filch/exec/task"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// finish closes j and waits for its end.
func finish(t *testing.T, j *Job) error {
	t.Helper()
	j.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err := j.Wait(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		buf := make([]byte, 1<<20)
		t.Fatalf("the job does not end: %+v\n%s\n%s", j.Stats(), j.e.describe(), buf[:runtime.Stack(buf, true)])
	}
	return err
}

func TestUnmarkedBlockingDoesNotHoldTheCores(t *testing.T) {
	e := newEngine(t, Config{Workers: 2})
	j := open(t, e, JobConfig{})
	bag := NewBag(j, func(*Ctx, int) { time.Sleep(100 * time.Millisecond) })
	start := time.Now()
	if err := SubmitRange(t.Context(), bag, 0, 1000); err != nil {
		t.Fatal(err)
	}
	if err := finish(t, j); err != nil {
		t.Fatal(err)
	}
	t.Logf("1,000 sleeps of 100 ms on 2 workers took %v", time.Since(start))
	if n := e.Workers(); n != 2 {
		t.Errorf("%d workers afterwards", n)
	}
}

func TestSubstitutesLeaveAgain(t *testing.T) {
	e := newEngine(t, Config{Workers: 2})
	j := open(t, e, JobConfig{})
	bag := NewBag(j, func(*Ctx, int) { time.Sleep(50 * time.Millisecond) })
	if err := SubmitRange(t.Context(), bag, 0, 200); err != nil {
		t.Fatal(err)
	}
	if err := finish(t, j); err != nil {
		t.Fatal(err)
	}
	for workersOf(e) != 2 { // the watchdog sees that nothing is left
		time.Sleep(time.Millisecond)
	}
}

func workersOf(e *Engine) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.workers)
}

func TestPanicsFailTheirTaskAlone(t *testing.T) {
	e := newEngine(t, Config{Workers: 2})
	j := open(t, e, JobConfig{})
	var ran atomic.Int64
	boom := errors.New("boom")
	bag := NewBag(j, func(_ *Ctx, i int) {
		ran.Add(1)
		if i%10 == 3 {
			panic(boom)
		}
		if i%10 == 7 {
			runtime.Goexit()
		}
	})
	for i := range 500 {
		bag.Submit(t.Context(), i)
	}
	SubmitRange(t.Context(), bag, 500, 1000)
	err := finish(t, j)
	var p *PanicError
	if !errors.As(err, &p) || len(p.Stack) == 0 {
		t.Fatalf("got %v, want a PanicError with a stack", err)
	}
	if !strings.Contains(err.Error(), "200 tasks failed") {
		t.Errorf("the error does not count: %v", err)
	}
	if ran.Load() != 1000 {
		t.Errorf("%d tasks ran", ran.Load())
	}
}

var explode = Define(func(c *Ctx, n int) int {
	if n == 0 {
		panic("at the bottom")
	}
	a := explodeFn().Spawn(c, n-1)
	b := fibBody(c, 8)
	return a.Join(c) + b
})

func explodeFn() *Fn[int, int] { return explodeVar }

var explodeVar *Fn[int, int]

func init() { explodeVar = explode }

func TestPanicOfAChildReachesTheCaller(t *testing.T) {
	e := newEngine(t, Config{Workers: 3})
	j := open(t, e, JobConfig{})
	for range 200 {
		_, err := explode.Call(t.Context(), j, 12)
		var p *PanicError
		if !errors.As(err, &p) || p.Value != "at the bottom" {
			t.Fatalf("got %v", err)
		}
	}
	if r, err := fib.Call(t.Context(), j, 15); r != 610 || err != nil {
		t.Fatalf("after panics fib(15) = %d, %v", r, err)
	}
	if err := finish(t, j); err != nil {
		t.Fatal(err)
	}
}

// tangle spawns children, joins some in any order, blocks, submits and leaves
// some unjoined.
var tangle *Fn[tangleArg, int]

type tangleArg struct {
	seed  uint64
	depth int
	ran   *atomic.Int64
}

func init() {
	tangle = Define(func(c *Ctx, a tangleArg) int {
		a.ran.Add(1)
		rng := rand.New(rand.NewPCG(a.seed, uint64(a.depth)))
		if a.depth == 0 {
			return 1
		}
		var kids []*Child[tangleArg, int]
		for range rng.IntN(5) {
			kids = append(kids, tangle.Spawn(c, tangleArg{rng.Uint64(), a.depth - 1, a.ran}))
			if rng.IntN(40) == 0 {
				c.Block(func() { runtime.Gosched() })
			}
		}
		rng.Shuffle(len(kids), func(i, k int) { kids[i], kids[k] = kids[k], kids[i] })
		sum := 1
		for _, k := range kids {
			if rng.IntN(10) > 0 {
				sum += k.Join(c)
			}
		}
		return sum
	})
}

// tangleCount runs the same tree without the engine.
func tangleCount(seed uint64, depth int) int64 {
	rng := rand.New(rand.NewPCG(seed, uint64(depth)))
	n := int64(1)
	if depth == 0 {
		return n
	}
	for range rng.IntN(5) {
		n += tangleCount(rng.Uint64(), depth-1)
		rng.IntN(40)
	}
	return n
}

func TestTangledTreesRunEveryTaskOnce(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	for range 10 {
		e, err := New(Config{Workers: 1 + rng.IntN(5), Slice: time.Duration(1 + rng.IntN(2000_000))})
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for k := range 3 {
			j := open(t, e, JobConfig{Tenant: []string{"a", "b"}[k%2], Nice: rng.IntN(10) - 5})
			seeds := make([]uint64, 4)
			for i := range seeds {
				seeds[i] = rng.Uint64()
			}
			wg.Go(func() {
				for _, s := range seeds {
					var ran atomic.Int64
					inner := open(t, e, JobConfig{})
					if _, err := tangle.Call(context.Background(), inner, tangleArg{s, 9, &ran}); err != nil {
						t.Error(err)
					}
					if err := finish(t, inner); err != nil {
						t.Error(err)
					}
					if want := tangleCount(s, 9); ran.Load() != want {
						t.Errorf("seed %d: %d tasks ran, want %d", s, ran.Load(), want)
					}
				}
				bag := NewBag(j, func(c *Ctx, n int) { fibBody(c, n) })
				for i := range 2000 {
					bag.Submit(context.Background(), i%10)
				}
				if err := finish(t, j); err != nil {
					t.Error(err)
				}
			})
		}
		for range 50 {
			if rng.IntN(5) == 0 {
				e.Resize(1 + rng.IntN(6))
			}
			e.mu.Lock()
			if err := e.invariant(); err != nil {
				t.Error(err)
			}
			e.mu.Unlock()
			runtime.Gosched()
		}
		wg.Wait()
		e.Close()
	}
}

func TestWideTasksHoldWhatTheyAsk(t *testing.T) {
	const workers, memory = 4, 1000
	var said bytes.Buffer
	e := newEngine(t, Config{Workers: workers, Memory: memory, Log: slog.New(slog.NewTextHandler(&said, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	var cores, mem, worst, worstMem atomic.Int64
	var jobs []*Job
	for _, n := range []task.Resources{{Cores: 3}, {Cores: 4, Memory: 300}, {Cores: 2, Memory: 600}, {Memory: 500}, {}} {
		j := open(t, e, JobConfig{})
		bag := NewBag(j, func(*Ctx, int) {
			held := cores.Add(int64(n.CoresOrOne()))
			heldMem := mem.Add(n.Memory)
			for w := worst.Load(); held > w && !worst.CompareAndSwap(w, held); w = worst.Load() {
			}
			for w := worstMem.Load(); heldMem > w && !worstMem.CompareAndSwap(w, heldMem); w = worstMem.Load() {
			}
			spin(12)
			mem.Add(-n.Memory)
			cores.Add(-int64(n.CoresOrOne()))
		})
		if err := bag.SetNeeds(n); err != nil {
			t.Fatal(err)
		}
		SubmitRange(t.Context(), bag, 0, 100)
		for i := range 100 {
			bag.Submit(t.Context(), i)
		}
		jobs = append(jobs, j)
	}
	for i, j := range jobs {
		if err := finish(t, j); err != nil {
			t.Error(err)
		}
		if ran := j.Stats().Ran; ran != 200 {
			t.Errorf("job %d ran %d tasks of 200", i, ran)
		}
	}
	e.Close()
	// On a machine that leaves this process little CPU the watchdog takes its tasks for blocked ones.
	substituted := strings.Contains(said.String(), "tasks block without saying so")
	if worst.Load() > workers && !substituted || worstMem.Load() > memory {
		t.Errorf("up to %d of %d cores and %d of %d memory were held", worst.Load(), workers, worstMem.Load(), memory)
	}
	t.Logf("up to %d cores and %d memory held", worst.Load(), worstMem.Load())
}

// spin burns some time, more than twice as much for n+1.
func spin(n int) {
	if n >= 2 {
		spin(n - 1)
		spin(n - 2)
	}
}

func TestWhatFitsNobodyIsRefused(t *testing.T) {
	e := newEngine(t, Config{Workers: 2, Memory: 1 << 20})
	bag := NewBag(open(t, e, JobConfig{}), func(*Ctx, int) {})
	for _, n := range []task.Resources{{Cores: 3}, {Memory: 2 << 20}} {
		var no *NoFitError
		if err := bag.SetNeeds(n); !errors.As(err, &no) {
			t.Errorf("%v: got %v", n, err)
		}
	}
}

func TestCancelDropsWhatHasNotStarted(t *testing.T) {
	e := newEngine(t, Config{Workers: 2})
	j := open(t, e, JobConfig{})
	started := make(chan struct{}, 2)
	var ran atomic.Int64
	bag := NewBag(j, func(c *Ctx, i int) {
		ran.Add(1)
		started <- struct{}{}
		<-c.Context().Done()
	})
	SubmitRange(t.Context(), bag, 0, 1_000_000)
	<-started
	<-started
	why := errors.New("enough")
	j.Cancel(why)
	if err := finish(t, j); !errors.Is(err, why) {
		t.Errorf("got %v", err)
	}
	if err := bag.Submit(t.Context(), 1); !errors.Is(err, why) {
		t.Errorf("submit after cancel: %v", err)
	}
	if ran.Load() > 100 {
		t.Errorf("%d tasks ran", ran.Load())
	}
}

func TestFullInboxHoldsSubmittersFromOutsideOnly(t *testing.T) {
	noSubstitutes := func() (time.Duration, int, bool) { return 0, 0, false }
	e := newEngine(t, Config{Workers: 1, load: noSubstitutes})
	j := open(t, e, JobConfig{MaxQueued: 10})
	release := make(chan struct{})
	var ran atomic.Int64
	var bag *Bag[int]
	bag = NewBag(j, func(c *Ctx, i int) {
		if i == 0 {
			<-release
			for k := range 1000 {
				if err := bag.Submit(c.Context(), k+1000); err != nil {
					t.Error(err)
				}
			}
		}
		ran.Add(1)
	})
	bag.Submit(t.Context(), 0)
	for i := 1; ; i++ {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		err := bag.Submit(ctx, i)
		cancel()
		if errors.Is(err, context.DeadlineExceeded) {
			break
		}
		if err != nil || i > 20 {
			t.Fatalf("submission %d: %v", i, err)
		}
	}
	close(release)
	if err := finish(t, j); err != nil {
		t.Fatal(err)
	}
	if ran.Load() < 1010 || ran.Load() > 1030 {
		t.Errorf("%d ran", ran.Load())
	}
}

func TestTooDeepIsAnError(t *testing.T) {
	e := newEngine(t, Config{Workers: 1})
	j := open(t, e, JobConfig{})
	_, err := bottomless.Call(t.Context(), j, 0)
	if !errors.Is(err, ErrTooDeep) {
		t.Fatalf("got %v", err)
	}
	finish(t, j)
}

var bottomless *Fn[int, int]

func init() {
	bottomless = Define(func(c *Ctx, n int) int { return bottomless.Spawn(c, n+1).Join(c) })
}

func TestCloseEndsEverything(t *testing.T) {
	for range 20 {
		e, err := New(Config{Workers: 3})
		if err != nil {
			t.Fatal(err)
		}
		j := open(t, e, JobConfig{})
		bag := NewBag(j, func(c *Ctx, i int) { fibBody(c, 12) })
		SubmitRange(t.Context(), bag, 0, 1<<30)
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		if err := j.Wait(t.Context()); !errors.Is(err, ErrClosed) {
			t.Errorf("the job ended with %v", err)
		}
		if _, err := e.NewJob(JobConfig{}); !errors.Is(err, ErrClosed) {
			t.Errorf("a new job after Close: %v", err)
		}
	}
}

// Tasks that hold memory together hold no more than there is.
func TestMemoryIsHandedOutOnce(t *testing.T) {
	virtual(t, Config{Workers: 4, Memory: 1000}, func(t *testing.T, e *Engine) {
		j := open(t, e, JobConfig{})
		var running, most atomic.Int64
		bag := NewBag(j, func(*Ctx, int) {
			now := running.Add(1)
			for m := most.Load(); now > m && !most.CompareAndSwap(m, now); m = most.Load() {
			}
			time.Sleep(time.Second)
			running.Add(-1)
		})
		if err := bag.SetNeeds(task.Resources{Memory: 500}); err != nil {
			t.Fatal(err)
		}
		for i := range 8 {
			bag.Submit(t.Context(), i)
		}
		if err := finish(t, j); err != nil {
			t.Error(err)
		}
		if most.Load() != 2 {
			t.Errorf("up to %d tasks of 500 ran at once, where 1000 of memory were to be held", most.Load())
		}
	})
}
