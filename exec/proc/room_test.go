package proc

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/filchsched/filch/exec/task"
)

func TestRoomFor(t *testing.T) {
	for files, want := range map[int64]int{0: maxRunning, -1: maxRunning, 1: 1, 8: 1, 256: 38, 1024: 153, 20000: 3000, 1 << 20: maxRunning} {
		if got := roomFor(files); got != want {
			t.Errorf("roomFor(%d) = %d, want %d", files, got, want)
		}
	}
}

// heldStarter starts processes that end when told to.
type heldStarter struct {
	running, most atomic.Int64
	started       chan struct{}
	end           chan struct{}
}

func (s *heldStarter) start(*launch) (process, error) {
	n := s.running.Add(1)
	for m := s.most.Load(); n > m && !s.most.CompareAndSwap(m, n); m = s.most.Load() {
	}
	s.started <- struct{}{}
	return heldProcess{s}, nil
}

type heldProcess struct{ s *heldStarter }

func (p heldProcess) wait() (ended, error) {
	<-p.s.end
	p.s.running.Add(-1)
	return ended{}, nil
}
func (heldProcess) signal(syscall.Signal) bool { return false }
func (heldProcess) lives() bool                { return false }
func (heldProcess) release()                   {}
func (heldProcess) pid() int                   { return 0 }

// Beyond its capacity Run waits for room, or for its context.
func TestCapacityHolds(t *testing.T) {
	s := &heldStarter{started: make(chan struct{}), end: make(chan struct{})}
	r := newRunner(t, Config{})
	r.starter, r.room = s, make(chan struct{}, 2)
	if r.Capacity() != 2 {
		t.Fatal(r.Capacity())
	}
	c := Command{Argv: []string{"true"}, Env: []string{"PATH=/bin:/usr/bin"}}
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			if res := r.Run(context.Background(), c); res.State != task.Done {
				t.Error(res.Err)
			}
		})
	}
	<-s.started
	<-s.started
	ctx, cancel := context.WithCancelCause(context.Background())
	wg.Go(func() {
		if res := r.Run(ctx, c); res.State != task.Cancelled || !errors.Is(res.Err, context.Canceled) {
			t.Error(res.Outcome)
		}
	})
	cancel(nil)
	for range 4 {
		s.end <- struct{}{}
		<-s.started
	}
	s.end <- struct{}{}
	s.end <- struct{}{}
	wg.Wait()
	if most := s.most.Load(); most != 2 {
		t.Errorf("%d ran at once", most)
	}
}
