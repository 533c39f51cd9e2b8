//go:build stepper

package park_test

import (
	"testing"

	"github.com/filchsched/filch/exec/stepper"
)

// States of a record, as in package exec.
const (
	pending int32 = iota
	awaited
	done
)

// A joint mirrors a record that was stolen, and what its owner and its runner
// do to each other.
type joint struct {
	state  stepper.Int32
	result stepper.Cell[int]
	worker stepper.Cell[int] // Ctx.w of the owner: 0 is none
	wake   stepper.Signal    // Ctx.wake
}

// join mirrors Child.Join and Ctx.await.
func (r *joint) join() {
	if r.state.Load() != done {
		w := r.worker.Read()
		r.worker.Write(0) // whoever finishes may resume the stack at once
		if r.state.CompareAndSwap(pending, awaited) {
			r.wake.Receive()
		} else {
			r.worker.Write(w)
		}
	}
	if r.worker.Read() == 0 {
		stepper.Failf("worker: a stack goes on without one")
	}
	if got := r.result.Read(); got != 7 {
		stepper.Failf("result: Join returned %d", got)
	}
	r.state.Store(pending) // Child.recycle: the frame is used again
}

// finish mirrors Ctx.finish, Ctx.ready and Ctx.resume.
func (r *joint) finish(worker int) {
	r.result.Write(7)
	if r.state.Swap(done) == awaited {
		r.worker.Write(worker)
		r.wake.Send()
	}
}

// TestAJoinGetsItsResultAndAWorker: the owner of a stolen child waits while it
// runs elsewhere, or comes when it is done.
func TestAJoinGetsItsResultAndAWorker(t *testing.T) {
	t.Log(stepper.Check(t, stepper.Options{}, func(s *stepper.Scene) {
		r := new(joint)
		stepper.Name(&r.state, "state")
		stepper.Name(&r.result, "result")
		stepper.Name(&r.worker, "worker")
		stepper.Name(&r.wake, "wake")
		r.worker.Write(1)
		s.Go("owner", func() { r.join() })
		s.Go("runner", func() { r.finish(2) })
	}))
}
