//go:build unix

package proc

import (
	"errors"
	"testing"
	"time"

	"github.com/filchsched/filch/exec/task"
)

// TestLeash: a command ends when its leash is over, not before, and its end is no failure of its own.
func TestLeash(t *testing.T) {
	eachStarter(t, func(t *testing.T, r *Runner) {
		leash := NewLeash(Clock() + 100*time.Millisecond)
		begun := Clock()
		res := r.Run(t.Context(), Command{Argv: []string{"sleep", "1000"}, Leash: leash})
		defer discardResult(res)
		if res.State != task.Cancelled || !errors.Is(res.Err, ErrLeash) {
			t.Errorf("state %v, error %v; want cancelled, by the leash", res.State, res.Err)
		}
		if Clock()-begun < 100*time.Millisecond {
			t.Errorf("it ended before its leash was over")
		}
	})
}

// TestLeashMoves: a leash that is moved holds until the new moment, also for who came before the move.
func TestLeashMoves(t *testing.T) {
	eachStarter(t, func(t *testing.T, r *Runner) {
		leash := NewLeash(Clock() + time.Hour)
		f := newFifo(t)
		done := make(chan Result, 1)
		go func() {
			done <- r.Run(t.Context(), Command{Argv: []string{"sh", "-c", "echo $$ >$0; exec sleep 1000", string(f)}, Leash: leash})
		}()
		f.await(t)
		leash.Move(Clock() + 2*time.Hour)
		leash.Move(Clock()) // over
		res := <-done
		defer discardResult(res)
		if res.State != task.Cancelled || !errors.Is(res.Err, ErrLeash) {
			t.Errorf("state %v, error %v; want cancelled, by the leash", res.State, res.Err)
		}
	})
}

// TestLongLeash: a leash that is not over is not noticed.
func TestLongLeash(t *testing.T) {
	eachStarter(t, func(t *testing.T, r *Runner) {
		res := r.Run(t.Context(), Command{Argv: []string{"true"}, Leash: NewLeash(Clock() + time.Hour)})
		defer discardResult(res)
		if res.State != task.Done {
			t.Errorf("state %v, error %v; want done", res.State, res.Err)
		}
	})
}

func discardResult(r Result) {
	r.Stdout.Close()
	r.Stderr.Close()
}
