package exec

import (
	"testing"
	"time"
)

// TestEntitledJobStartsBesideCommandsOfOthers: 16 commands of an hour on 2
// cores; ten seconds later a job of the same weight with a minute of work
// comes. It starts within two seconds and gets its share.
func TestEntitledJobStartsBesideCommandsOfOthers(t *testing.T) {
	virtual(t, Config{Workers: 2}, func(t *testing.T, e *Engine) {
		hour := open(t, e, JobConfig{Name: "hour", External: true})
		long := NewBag(hour, func(c *Ctx, _ int) {
			select {
			case <-time.After(time.Hour):
			case <-c.Context().Done():
			}
		})
		SubmitRange(t.Context(), long, 0, 16)
		time.Sleep(10 * time.Second)
		minute := open(t, e, JobConfig{Name: "minute", External: true})
		first := make(chan time.Time, 60)
		short := NewBag(minute, func(*Ctx, int) {
			first <- time.Now()
			time.Sleep(time.Second)
		})
		came := time.Now()
		before := service(hour)[0]
		for i := range 60 {
			short.Submit(t.Context(), i)
		}
		if waited := (<-first).Sub(came); waited > 2*time.Second {
			t.Errorf("its first command waited %v", waited)
		}
		time.Sleep(25 * time.Second)
		// Of commands that use all the CPU they get, the kernel divides the
		// cores by their number.
		got := service(hour, minute)
		mine := float64(got[1]) / float64(got[1]+got[0]-before)
		if mine < 0.4 || mine > 0.6 {
			t.Errorf("it had %.2f of the slot time since it came, want 0.5 within a fifth", mine)
		}
		minute.Close()
		minute.Wait(t.Context())
		time.Sleep(time.Second)
		e.mu.Lock()
		if n := len(e.workers); n != 2 || e.entitled != 0 {
			t.Errorf("%d workers are left, %d of them entitled", n, e.entitled)
		}
		e.mu.Unlock()
		if out := hour.Stats(); out.Queued != 14 {
			t.Errorf("the hour's job started more commands: %d wait", out.Queued)
		}
		hour.Cancel(nil)
	})
}

// A job of a small weight is owed one command, not a core's worth of them.
func TestEntitledSharesFollowWeights(t *testing.T) {
	virtual(t, Config{Workers: 8}, func(t *testing.T, e *Engine) {
		cancelled := func(c *Ctx, _ int) { <-c.Context().Done() }
		big := open(t, e, JobConfig{Name: "big", External: true})
		SubmitRange(t.Context(), NewBag(big, cancelled), 0, 100)
		time.Sleep(time.Second)
		small := openWeight(t, e, JobConfig{Name: "small", External: true}, 256)
		tiny := openWeight(t, e, JobConfig{Name: "tiny", External: true}, 15)
		SubmitRange(t.Context(), NewBag(small, cancelled), 0, 100)
		SubmitRange(t.Context(), NewBag(tiny, cancelled), 0, 100)
		time.Sleep(time.Minute)
		e.mu.Lock()
		a, b, c := big.fair.TurnsOut(), small.fair.TurnsOut(), tiny.fair.TurnsOut()
		e.mu.Unlock()
		if a != 8 || b < 2 || b > 3 || c != 1 {
			t.Errorf("weights 1024, 256 and 15 run %d, %d and %d commands", a, b, c)
		}
		for _, j := range []*Job{big, small, tiny} {
			j.Cancel(nil)
		}
	})
}
