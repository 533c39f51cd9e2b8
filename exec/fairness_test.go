package exec

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// Fairness is tested on the real engine with a virtual clock: inside a
// synctest bubble a task that sleeps takes exactly its time, and 16 workers
// need no 16 cores.

const bubbleWorkers = 16

// virtual runs f in a bubble with an engine of bubbleWorkers.
func virtual(t *testing.T, c Config, f func(t *testing.T, e *Engine)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		if c.Workers == 0 {
			c.Workers = bubbleWorkers
		}
		c.load = func() (time.Duration, int, bool) { return 0, 0, false }
		e, err := New(c)
		if err != nil {
			t.Fatal(err)
		}
		f(t, e)
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
}

// saturate gives j more tasks of one length than it can ever run.
func saturate(t *testing.T, j *Job, length time.Duration) {
	t.Helper()
	bag := NewBag(j, func(*Ctx, int) { time.Sleep(length) })
	if err := SubmitRange(context.Background(), bag, 0, 1<<40); err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, e *Engine, c JobConfig) *Job {
	t.Helper()
	j, err := e.NewJob(c)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// service returns the slot time of jobs, with what running turns have used.
func service(jobs ...*Job) []time.Duration {
	out := make([]time.Duration, len(jobs))
	for i, j := range jobs {
		out[i] = j.Stats().Service
	}
	return out
}

// jain is Jain's index of service ÷ weight.
func jain(service []time.Duration, weights []float64) float64 {
	var sum, squares float64
	for i, s := range service {
		x := float64(s) / weights[i]
		sum += x
		squares += x * x
	}
	return sum * sum / (float64(len(service)) * squares)
}

func minus(a, b []time.Duration) []time.Duration {
	out := make([]time.Duration, len(a))
	for i := range a {
		out[i] = a[i] - b[i]
	}
	return out
}

// shares runs f's jobs for a while and fails unless the service of each window of
// a second is shared by weights with a Jain's index of at least least, and no job
// ever lags by more than bound (0: not checked).
func shares(t *testing.T, jobs []*Job, weights []float64, seconds int, least float64, bound time.Duration) {
	t.Helper()
	sum := 0.0
	for _, w := range weights {
		sum += w
	}
	worst := time.Duration(0)
	begin := service(jobs...)
	for sec := range seconds {
		before := service(jobs...)
		for range 200 {
			time.Sleep(5 * time.Millisecond)
			got := minus(service(jobs...), begin)
			total := time.Duration(0)
			for _, s := range got {
				total += s
			}
			for i, s := range got {
				lag := time.Duration(float64(total)*weights[i]/sum) - s
				worst = max(worst, lag.Abs())
			}
		}
		got := minus(service(jobs...), before)
		if x := jain(got, weights); x < least {
			t.Errorf("second %d: Jain's index is %.5f, less than %v: %v for weights %v", sec, x, least, got, weights)
		}
	}
	t.Logf("worst lag %v", worst)
	if bound > 0 && worst > bound {
		t.Errorf("a job was %v away from its share, more than %v", worst, bound)
	}
}

func TestFourSaturatedJobsShareByWeight(t *testing.T) {
	for _, length := range []time.Duration{50 * time.Microsecond, 300 * time.Microsecond, 1900 * time.Microsecond} {
		virtual(t, Config{}, func(t *testing.T, e *Engine) {
			weights := []float64{8, 4, 2, 1}
			var jobs []*Job
			for i, w := range weights {
				j := openWeight(t, e, JobConfig{Name: fmt.Sprint(i)}, int64(w*128))
				jobs = append(jobs, j)
				saturate(t, j, length)
			}
			bound := time.Duration(bubbleWorkers+2) * DefaultSlice
			shares(t, jobs, weights, 3, 0.999, bound)
		})
	}
}

func TestJobThatComesAndGoesNeitherGainsNorStarves(t *testing.T) {
	for _, on := range []time.Duration{3 * time.Millisecond, 40 * time.Millisecond, 700 * time.Millisecond} {
		virtual(t, Config{}, func(t *testing.T, e *Engine) {
			steady := []*Job{open(t, e, JobConfig{}), open(t, e, JobConfig{})}
			for _, j := range steady {
				saturate(t, j, 200*time.Microsecond)
			}
			guest := open(t, e, JobConfig{Name: "guest"})
			bag := NewBag(guest, func(*Ctx, int) { time.Sleep(200 * time.Microsecond) })
			time.Sleep(time.Second)
			// Its fair share while it is there is a third of 16 workers.
			fair, got, others := time.Duration(0), time.Duration(0), time.Duration(0)
			for range int(4 * time.Second / on) {
				before, otherBefore := service(guest)[0], service(steady[0])[0]
				tasks := int(on * bubbleWorkers / 3 / (200 * time.Microsecond))
				start := time.Now()
				if err := SubmitRange(t.Context(), bag, 0, tasks); err != nil {
					t.Fatal(err)
				}
				synctestDrain(guest, tasks)
				took := time.Since(start)
				fair += took * bubbleWorkers / 3
				got += service(guest)[0] - before
				others += service(steady[0])[0] - otherBefore
				time.Sleep(on)
			}
			t.Logf("on for %v at a time: share while there %.3f of its fair share", on, float64(got)/float64(fair))
			if r := float64(got) / float64(fair); r < 0.8 || r > 1.25 {
				t.Errorf("a job that is there for %v at a time got %.2f of its fair share", on, r)
			}
		})
	}
}

// synctestDrain waits until j has nothing left.
func synctestDrain(j *Job, _ int) {
	for {
		if s := j.Stats(); s.Queued == 0 && j.units.Load() == 0 {
			return
		}
		time.Sleep(100 * time.Microsecond)
	}
}

func TestNarrowJobTakesNothingBeyondItsShare(t *testing.T) {
	virtual(t, Config{}, func(t *testing.T, e *Engine) {
		narrow := openWeight(t, e, JobConfig{Name: "narrow", MaxWorkers: 2}, 102400)
		wide := []*Job{open(t, e, JobConfig{}), open(t, e, JobConfig{})}
		for _, j := range append(wide, narrow) {
			saturate(t, j, 300*time.Microsecond)
		}
		time.Sleep(100 * time.Millisecond)
		before := service(narrow)[0]
		start := time.Now()
		shares(t, wide, []float64{1, 1}, 3, 0.9999, 18*DefaultSlice)
		got := service(narrow)[0] - before
		if r := float64(got) / float64(2*time.Since(start)); r < 0.99 || r > 1.001 {
			t.Errorf("the job that can use 2 workers and is entitled to them had %.4f of their time", r)
		}
	})
}

func TestTenantsShareBeforeTheirJobs(t *testing.T) {
	virtual(t, Config{}, func(t *testing.T, e *Engine) {
		one := open(t, e, JobConfig{Tenant: "one"})
		saturate(t, one, 200*time.Microsecond)
		var many []*Job
		for range 100 {
			j := open(t, e, JobConfig{Tenant: "many"})
			saturate(t, j, 200*time.Microsecond)
			many = append(many, j)
		}
		time.Sleep(500 * time.Millisecond)
		b1, b2 := service(one)[0], service(many...)
		time.Sleep(2 * time.Second)
		got1, got2 := service(one)[0]-b1, minus(service(many...), b2)
		sum := time.Duration(0)
		even := make([]float64, len(got2))
		for i, s := range got2 {
			sum += s
			even[i] = 1
		}
		if x := jain([]time.Duration{got1, sum}, []float64{1, 1}); x < 0.9999 {
			t.Errorf("tenants with 1 and 100 jobs got %v and %v: Jain's index %.5f", got1, sum, x)
		}
		if x := jain(got2, even); x < 0.999 {
			t.Errorf("the jobs of one tenant: Jain's index %.5f", x)
		}
	})
}

func TestNice19StillMoves(t *testing.T) {
	virtual(t, Config{}, func(t *testing.T, e *Engine) {
		for range 3 {
			saturate(t, open(t, e, JobConfig{Nice: -10}), time.Millisecond)
		}
		least := open(t, e, JobConfig{Nice: 19})
		saturate(t, least, time.Millisecond)
		time.Sleep(time.Second)
		before := service(least)[0]
		time.Sleep(20 * time.Second)
		got := service(least)[0] - before
		want := 20 * time.Second * bubbleWorkers * 15 / (3*9548 + 15)
		t.Logf("nice 19 had %v of %v", got, want)
		if got < want/2 || got > want*2 {
			t.Errorf("a nice-19 job beside three of nice -10 had %v in 20 s; its share is %v", got, want)
		}
	})
}

func TestLongTasksPayForTheirLength(t *testing.T) {
	virtual(t, Config{}, func(t *testing.T, e *Engine) {
		jobs := []*Job{open(t, e, JobConfig{Name: "long"}), open(t, e, JobConfig{Name: "short"})}
		saturate(t, jobs[0], 20*time.Millisecond)
		saturate(t, jobs[1], 100*time.Microsecond)
		time.Sleep(time.Second)
		// A task of 20 ms cannot be cut, so the bound is one per worker.
		shares(t, jobs, []float64{1, 1}, 4, 0.999, bubbleWorkers*20*time.Millisecond)
	})
}

// endless splits without end: every level spawns one half and runs the other.
var endless *Fn[int, int]

func init() {
	endless = Define(func(c *Ctx, depth int) int {
		if c.Job().cancelled() {
			return 0
		}
		if depth == 0 {
			time.Sleep(150 * time.Microsecond)
			return 1
		}
		a := endless.Spawn(c, depth-1)
		b := endless.Spawn(c, depth-1)
		return b.Join(c) + a.Join(c)
	})
}

func TestEndlessForkJoinAndBagShareByWeight(t *testing.T) {
	for _, weights := range [][]float64{{1, 1}, {3, 1}, {1, 4}} {
		virtual(t, Config{}, func(t *testing.T, e *Engine) {
			tree := openWeight(t, e, JobConfig{Name: "tree"}, int64(weights[0]*1024))
			bag := openWeight(t, e, JobConfig{Name: "bag"}, int64(weights[1]*1024))
			go endless.Call(t.Context(), tree, 40)
			saturate(t, bag, 200*time.Microsecond)
			time.Sleep(time.Second)
			shares(t, []*Job{tree, bag}, weights, 3, 0.999, 18*DefaultSlice)
			tree.Cancel(nil)
		})
	}
}

func openWeight(t *testing.T, e *Engine, c JobConfig, weight int64) *Job {
	t.Helper()
	c.weight = weight
	return open(t, e, c)
}
