package exec

import (
	"context"
	"fmt"
	"math"
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
		c.cpuTime = func() (time.Duration, bool) { return 0, false }
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

// niceOf finds the nice value whose weight is nearest to a share of 1024.
func niceOf(share float64) int {
	return int(math.Round(-math.Log(share) / math.Log(1.25)))
}

func TestFourSaturatedJobsShareByWeight(t *testing.T) {
	virtual(t, Config{}, func(t *testing.T, e *Engine) {
		weights := []float64{8, 4, 2, 1}
		var jobs []*Job
		for i, w := range weights {
			j := openWeight(t, e, JobConfig{Name: fmt.Sprint(i)}, int64(w*128))
			jobs = append(jobs, j)
			saturate(t, j, 100*time.Microsecond)
		}
		bound := time.Duration(bubbleWorkers+2) * DefaultSlice
		start := service(jobs...)
		begin := start
		for sec := range 5 {
			before := service(jobs...)
			for range 100 {
				time.Sleep(10 * time.Millisecond)
				for i, s := range minus(service(jobs...), begin) {
					_ = i
					_ = s
				}
			}
			got := minus(service(jobs...), before)
			if x := jain(got, weights); x < 0.999 {
				t.Errorf("second %d: Jain's index %.5f of %v", sec, x, got)
			}
		}
		total := time.Duration(0)
		got := minus(service(jobs...), begin)
		for _, s := range got {
			total += s
		}
		for i, s := range got {
			lag := time.Duration(float64(total)*weights[i]/15) - s
			t.Logf("job %d: %v, lag %v", i, s, lag)
			if lag.Abs() > bound {
				t.Errorf("job %d lags by %v, more than %v", i, lag, bound)
			}
		}
	})
}

func openWeight(t *testing.T, e *Engine, c JobConfig, weight int64) *Job {
	t.Helper()
	c.weight = weight
	return open(t, e, c)
}
