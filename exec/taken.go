package exec

import (
	"errors"
	"unsafe"
)

// This file lets somebody who has no worker take children out of deques, to
// have them run elsewhere: in another process, say. To a stack that joins such a
// child it is like one that another worker has stolen.

// numberBits is how much of a child's number is its index in its deque; the
// rest is the stack's serial, since another stack may have the place by now. An
// index beyond that, after hours of spawns, can make another stack's child look as
// if it had been seen before; TakeAt is exact all the same.
const numberBits = 40

// Oldest looks at each stack whose deque holds children of j, and yields its
// place and a number for the oldest one. The same number at the same place is the
// same child: whoever sees it twice knows that it has waited in between. It
// may be called from any goroutine; yield may call TakeAt.
func (j *Job) Oldest(yield func(place int, number uint64) bool) {
	j.present.Each(func(place int) bool {
		if place == inboxPlace {
			return true
		}
		v := j.visit(place)
		if v == nil {
			return true
		}
		index, ok := v.dq.Oldest()
		v.visitors.Add(-1)
		return !ok || yield(place, v.number(index))
	})
}

// visit returns the stack at a place while it works for j, and keeps it from
// working for another job until the caller counts itself out of its visitors; nil: there
// is none.
func (j *Job) visit(place int) *Ctx {
	v := j.e.byPlace[place].Load()
	if v == nil {
		return nil
	}
	v.visitors.Add(1)
	if v.job.Load() != j {
		v.visitors.Add(-1)
		return nil
	}
	return v
}

// number names the child of an index of the stack's deque while it is the oldest.
func (c *Ctx) number(index int64) uint64 { return c.serial<<numberBits + uint64(index) }

// Taken is a child that is to run elsewhere. The zero value is none.
type Taken[A, R any] struct {
	child *Child[A, R]
	job   *Job
}

// errOtherFunction is what TakeAt panics with.
var errOtherFunction = errors.New("exec: TakeAt of a function in a job with children of another one")

// TakeAt takes the child that Oldest has named, if it still is the oldest of
// its stack and its job was not cancelled. All children of j must be of f. From now on nobody else runs the
// child: the caller has it run somewhere, and calls Finish, whatever
// happens. Until then the job is not over, even if it is cancelled, and Engine.Close
// waits: so who takes has to watch Job.Context and finish what it took when that ends.
// It may be called from any goroutine.
func (f *Fn[A, R]) TakeAt(j *Job, place int, number uint64) (t Taken[A, R], ok bool) {
	if place <= inboxPlace || place >= len(j.e.byPlace) || j.cancelled() {
		return t, false
	}
	v := j.visit(place)
	if v == nil {
		return t, false
	}
	defer v.visitors.Add(-1)
	j.units.Add(1) // before the stack can come to its end without us
	r := v.dq.StealAt(int64(number - v.serial<<numberBits))
	if r == nil {
		j.unitDone()
		return t, false
	}
	t = Taken[A, R]{(*Child[A, R])(unsafe.Pointer(r)), j}
	if t.child.fn != f {
		r.fail = caught(errOtherFunction)
		t.end()
		panic(errOtherFunction)
	}
	return t, true
}

// Arg returns the argument that the child was spawned with. It must not be called
// after Finish.
func (t Taken[A, R]) Arg() A { return t.child.arg }

// Depth returns how deep the child is nested: 1 below a submitted task. It must
// not be called after Finish.
func (t Taken[A, R]) Depth() int { return int(t.child.depth) }

// Finish ends the child with its result, which Join returns. It must be called
// once, and may be from any goroutine.
func (t Taken[A, R]) Finish(r R) {
	t.child.res = r
	t.end()
}

func (t Taken[A, R]) end() {
	owner := t.child.owner // the child may be reused as soon as it is done
	if t.child.state.Swap(done) == awaited {
		t.job.pushReady(owner) // whose job is this one while it waits
	}
	t.job.unitDone()
}
