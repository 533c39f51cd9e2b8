package stepper

import (
	"fmt"
	"iter"
	"runtime/debug"
)

// MaxThreads bounds the threads of a program. More would need wider clocks;
// what cannot be shown with eight threads cannot be enumerated either.
const MaxThreads = 8

// threads is a set of threads by number.
type threads uint8

func only(id int) threads         { return 1 << id }
func (s threads) has(id int) bool { return s&only(id) != 0 }

// current is the thread that runs now. It is nil while a program is set up,
// after its threads have ended, and outside of explorations. Only one exploration
// runs at a time in a process, and in it one thread at a time.
var current *thread

// A thread is one thread of a program in one run.
type thread struct {
	x      *explorer
	id     int
	name   string
	run    func()
	daemon bool
	over   bool

	next operation // that it is about to do
	seen clock     // the steps that its last step depends on, and that step
	sync clock     // the steps that it has synchronised with; own steps counted
	at   *coroutine
}

// step stops before an operation until it is the thread's turn. Afterwards the
// operation must take effect before anything else happens.
func (t *thread) step(o operation) {
	x := t.x
	if x.unwinding {
		return // a deferred call in a thread that is being abandoned
	}
	x.enroll(o.on)
	t.next = o
	if x.running {
		x.turn = x.choose()
		if x.turn == t {
			return
		}
	}
	t.at.yield(struct{}{})
	if x.unwinding {
		panic(abandoned{})
	}
}

// abandoned unwinds a thread whose run has ended before it has.
type abandoned struct{}

// main runs the thread to its end.
func (t *thread) main() {
	defer func() {
		t.over = true
		switch p := recover().(type) {
		case nil, abandoned:
		case failed:
			t.x.fail(string(p))
		default:
			t.x.fail(fmt.Sprintf("%s panicked: %v\n%s", t.name, p, debug.Stack()))
		}
	}()
	t.run()
}

// failed is what Failf panics with.
type failed string

// Failf ends the run as failed. It may be called by threads and by Finally.
func Failf(format string, args ...any) { panic(failed(fmt.Sprintf(format, args...))) }

// A coroutine runs threads of many runs, one after the other: making one costs
// more than a short run.
type coroutine struct {
	t      *thread
	resume func() (struct{}, bool)
	yield  func(struct{}) bool
	stop   func()
}

func newCoroutine() *coroutine {
	c := new(coroutine)
	c.resume, c.stop = iter.Pull(func(yield func(struct{}) bool) {
		c.yield = yield
		for more := true; more; more = yield(struct{}{}) {
			c.t.main()
		}
	})
	return c
}

// resume lets t run until it stops before a step that is not its turn, or ends.
func (t *thread) resume() {
	current = t
	t.at.resume()
	current = nil
}
