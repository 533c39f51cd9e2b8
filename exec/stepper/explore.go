package stepper

import (
	"fmt"
	"runtime/debug"
	"sync"
)

// A Program sets up fresh state and says, by calling Go and Finally on the
// Scene, what happens to it. It is called once for each run.
type Program func(*Scene)

// A Scene is one run of a program while it is set up.
type Scene struct{ x *explorer }

// Go adds a thread. The threads start when the program has returned. The run
// fails if the thread does not come to its end.
func (s *Scene) Go(name string, run func()) { s.x.add(name, run, false) }

// Daemon adds a thread that need not come to an end: it may be left blocked
// when the others have ended.
func (s *Scene) Daemon(name string, run func()) { s.x.add(name, run, true) }

// Finally adds a function that is called at the end of each run that has not
// failed, when no thread can take a step any more.
func (s *Scene) Finally(check func()) { s.x.finally = append(s.x.finally, check) }

// Options say how to explore.
type Options struct {
	// Full enumerates every interleaving, also those that differ only in
	// the order of independent steps.
	Full bool
	// Sample, if positive, does that many random runs instead of all.
	Sample int
	// Seed seeds the choices of Sample.
	Seed uint64
	// MaxSteps bounds the steps of one run; 0 means DefaultMaxSteps.
	MaxSteps int
	// Schedule, if not empty, does this one run only: the schedule of a
	// Failure.
	Schedule string
}

// DefaultMaxSteps bounds a run. Programs that can be enumerated have some
// hundred steps; what takes more waits in a loop.
const DefaultMaxSteps = 5000

// Stats says what was explored.
type Stats struct {
	Runs  int64 // that came to an end
	Cut   int64 // that were cut short, being the same as an earlier one
	Steps int64 // in all of them
	Depth int   // steps of the longest run
}

// Add adds the figures of another exploration.
func (s *Stats) Add(t Stats) {
	s.Runs += t.Runs
	s.Cut += t.Cut
	s.Steps += t.Steps
	s.Depth = max(s.Depth, t.Depth)
}

func (s Stats) String() string {
	return fmt.Sprintf("%d interleavings (and %d cut short), %d steps, at most %d in one", s.Runs, s.Cut, s.Steps, s.Depth)
}

// exploring makes explorations wait for each other: they use current.
var exploring sync.Mutex

// Explore runs the program in every interleaving until one fails. The error
// is a *Failure, or says that the schedule does not fit the program.
func Explore(o Options, program Program) (Stats, error) {
	exploring.Lock()
	defer exploring.Unlock()
	x := &explorer{options: o, program: program}
	defer x.dismiss()
	if o.MaxSteps <= 0 {
		x.options.MaxSteps = DefaultMaxSteps
	}
	if err := x.plan(); err != nil {
		return Stats{}, err
	}
	for {
		x.do()
		if x.failure != "" {
			return x.stats, x.explain()
		}
		if !x.again() {
			return x.stats, nil
		}
	}
}

// explorer is one exploration, and its current run.
type explorer struct {
	options Options
	program Program
	stats   Stats
	search
	coroutines []*coroutine

	// The current run.
	serie     uint64 // its number, from 1
	threads   []*thread
	finally   []func()
	running   bool    // the threads have started
	unwinding bool    // threads that are left are being abandoned
	turn      *thread // whose step it is; nil when the run is over
	finished  bool    // it came to its end, and was not cut short
	failure   string

	// For traces only.
	tracing bool
	trace   []string
	unnamed int
	known   []any // pointers by the number that traces show
}

// add adds a thread to the run.
func (x *explorer) add(name string, run func(), daemon bool) {
	id := len(x.threads)
	if id == MaxThreads || x.running {
		panic(fmt.Sprintf("stepper: thread %s is one too many, or added when the run has begun", name))
	}
	if id == len(x.coroutines) {
		x.coroutines = append(x.coroutines, newCoroutine())
	}
	t := &thread{x: x, id: id, name: name, run: run, daemon: daemon, at: x.coroutines[id]}
	t.at.t = t
	x.threads = append(x.threads, t)
}

// enroll makes the variable part of the run.
func (x *explorer) enroll(v *variable) {
	if v.serie != x.serie {
		v.serie, v.last, v.sync = x.serie, 0, clock{}
	}
}

// do does one run.
func (x *explorer) do() {
	x.serie = nextSerie()
	x.threads, x.finally = x.threads[:0], x.finally[:0]
	x.failure, x.finished = "", false
	x.trace, x.known, x.unnamed = nil, nil, 0
	x.now = 0
	x.program(&Scene{x})
	for _, t := range x.threads {
		t.resume() // up to its first step
	}
	x.running = true
	x.turn = x.choose()
	for x.turn != nil {
		t := x.turn
		t.resume()
		if t.over {
			x.turn = x.choose()
		}
	}
	x.running = false
	if x.finished && x.failure == "" {
		x.conclude()
	}
	x.unwind()
	x.stats.Steps += int64(x.now)
	x.stats.Depth = max(x.stats.Depth, x.now)
	if x.finished {
		x.stats.Runs++
	} else {
		x.stats.Cut++
	}
}

// conclude calls what Finally has added.
func (x *explorer) conclude() {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case failed:
			x.fail(string(p))
		default:
			x.fail(fmt.Sprintf("panic at the end: %v\n%s", p, debug.Stack()))
		}
	}()
	for _, check := range x.finally {
		check()
	}
}

// unwind ends the threads that are left.
func (x *explorer) unwind() {
	x.unwinding = true
	for _, t := range x.threads {
		if !t.over {
			t.resume()
		}
	}
	x.unwinding = false
}

// dismiss ends the coroutines.
func (x *explorer) dismiss() {
	for _, c := range x.coroutines {
		c.stop()
	}
}

// fail ends the run; only the first reason counts.
func (x *explorer) fail(reason string) {
	if x.failure == "" {
		x.failure = reason
	}
}

// series counts runs in the whole process, so that a variable that outlives an
// exploration does not seem to belong to a later one. Guarded by exploring.
var series uint64

func nextSerie() uint64 {
	series++
	return series
}
