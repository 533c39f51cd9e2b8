package stepper

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// explore runs a program that is expected not to fail.
func explore(t *testing.T, o Options, program Program) Stats {
	t.Helper()
	stats, err := Explore(o, program)
	if err != nil {
		t.Fatal(err)
	}
	return stats
}

// mustFail runs a program that is expected to fail for a reason, and checks that
// its schedule and only its schedule is enough to fail again.
func mustFail(t *testing.T, program Program, reason string) *Failure {
	t.Helper()
	var f *Failure
	for _, o := range []Options{{Full: true}, {}} {
		_, err := Explore(o, program)
		if !errors.As(err, &f) || !strings.Contains(f.Reason, reason) {
			t.Fatalf("with %+v: got %v, want a failure that says %q", o, err, reason)
		}
		var again *Failure
		if _, err := Explore(Options{Schedule: f.Schedule}, program); !errors.As(err, &again) {
			t.Fatalf("the schedule %s does not fail again: %v", f.Schedule, err)
		}
		if again.Reason != f.Reason || !slices.Equal(again.Trace, f.Trace) {
			t.Fatalf("repeating the run gives\n%v\ninstead of\n%v", again, f)
		}
	}
	return f
}

func TestInterleavingsAreCounted(t *testing.T) {
	for _, test := range []struct {
		name           string
		steps          []int // per thread
		shared         bool  // one variable for all, or one for each
		full, possible int64
	}{
		{"nothing", nil, true, 1, 1},
		{"one thread", []int{5}, true, 1, 1},
		{"2 × 1 shared", []int{1, 1}, true, 2, 2},
		{"2 × 3 shared", []int{3, 3}, true, 20, 20}, // 6! ÷ (3!·3!)
		{"2 × 3 apart", []int{3, 3}, false, 20, 1},
		{"3 × 2 shared", []int{2, 2, 2}, true, 90, 90}, // 6! ÷ (2!·2!·2!)
		{"3 × 2 apart", []int{2, 2, 2}, false, 90, 1},
		{"1, 2 and 4 shared", []int{1, 2, 4}, true, 105, 105}, // 7! ÷ (1!·2!·4!)
		{"4 × 2 shared", []int{2, 2, 2, 2}, true, 2520, 2520},
		{"2 × 8 apart", []int{8, 8}, false, 12870, 1},
	} {
		program := func(s *Scene) {
			all := new(Int64)
			for _, n := range test.steps {
				x := all
				if !test.shared {
					x = new(Int64)
				}
				s.Go("thread", func() {
					for range n {
						x.Add(1)
					}
				})
			}
		}
		if n := explore(t, Options{Full: true}, program).Runs; n != test.full {
			t.Errorf("%s: %d interleavings, want the multinomial %d", test.name, n, test.full)
		}
		if n := explore(t, Options{}, program).Runs; n != test.possible {
			t.Errorf("%s: %d classes, want %d", test.name, n, test.possible)
		}
	}
}

func TestReadersDoNotMultiply(t *testing.T) {
	// Three loads commute; the one store can come before or after each.
	stats := explore(t, Options{}, func(s *Scene) {
		var x Int64
		for range 3 {
			s.Go("reader", func() { x.Load() })
		}
		s.Go("writer", func() { x.Store(1) })
	})
	if stats.Runs != 8 {
		t.Errorf("%d classes, want 2^3", stats.Runs)
	}
}

func TestWaitingIsNotAStep(t *testing.T) {
	// Whoever has the mutex first; nothing else matters.
	for _, full := range []bool{true, false} {
		stats := explore(t, Options{Full: full}, func(s *Scene) {
			var m Mutex
			held := 0
			for range 4 {
				s.Go("locker", func() {
					m.Lock()
					held++
					m.Unlock()
				})
			}
			s.Finally(func() {
				if held != 4 {
					Failf("held %d times", held)
				}
			})
		})
		if stats.Runs != 24 {
			t.Errorf("full %v: %d interleavings, want 4!", full, stats.Runs)
		}
	}
}

// dekker is mutual exclusion by two flags: each says that it wants to enter,
// then looks at the other.
func dekker(look bool) Program {
	return func(s *Scene) {
		var want [2]Int32
		var inside Cell[int] // a race on it is two at once
		Name(&want[0], "want[0]")
		Name(&want[1], "want[1]")
		Name(&inside, "inside")
		for me := range 2 {
			s.Go([]string{"left", "right"}[me], func() {
				if !look && want[1-me].Load() != 0 {
					return
				}
				want[me].Store(1)
				if look && want[1-me].Load() != 0 {
					want[me].Store(0)
					return
				}
				inside.Write(inside.Read() + 1)
			})
		}
	}
}

func TestDekkerNeedsTheSecondLook(t *testing.T) {
	explore(t, Options{}, dekker(true))
	f := mustFail(t, dekker(false), "data race on inside")
	for _, want := range []string{"left", "right", "want[0].Load() = 0", "want[1].Store(1)", "inside.write"} {
		if !strings.Contains(f.Error(), want) {
			t.Errorf("the trace lacks %q:\n%v", want, f)
		}
	}
}

// peterson is Peterson's lock for two threads; polite is whether each gives way
// to the other, without which both can wait, and in order whether it says that it wants to
// enter before it gives way, without which both can be inside.
func peterson(polite, inOrder bool) Program {
	return func(s *Scene) {
		var want [2]Int32
		var turn Int32
		var inside Cell[int]
		for me := range 2 {
			s.Go([]string{"left", "right"}[me], func() {
				if inOrder {
					want[me].Store(1)
				}
				if polite {
					turn.Store(int32(1 - me))
				}
				if !inOrder {
					want[me].Store(1)
				}
				for want[1-me].Load() == 1 && (!polite || turn.Load() == int32(1-me)) {
					if polite {
						turn.Await(func(v int32) bool { return v == int32(me) })
					} else {
						want[1-me].Await(func(v int32) bool { return v == 0 })
					}
				}
				inside.Write(inside.Read() + 1)
				want[me].Store(0)
				turn.Store(int32(1 - me)) // who waits for its turn looks again
			})
		}
	}
}

func TestPeterson(t *testing.T) {
	explore(t, Options{}, peterson(true, true))
	mustFail(t, peterson(true, false), "data race")
	mustFail(t, peterson(false, true), "deadlock")
}

func TestCountersThatAreNotAtomic(t *testing.T) {
	counter := func(atomic bool) Program {
		return func(s *Scene) {
			var n Int64
			for range 2 {
				s.Go("adder", func() {
					if atomic {
						n.Add(1)
					} else {
						n.Store(n.Load() + 1)
					}
				})
			}
			s.Finally(func() {
				if n.Load() != 2 {
					Failf("an increment was lost: the sum is %d", n.Load())
				}
			})
		}
	}
	explore(t, Options{}, counter(true))
	mustFail(t, counter(false), "an increment was lost")
}

// wakeUp is a sleeper that looks for work and then sleeps, and a waker that
// brings work and wakes who sleeps.
func wakeUp(locked bool) Program {
	return func(s *Scene) {
		var m Mutex
		var work, asleep Int32
		var wake Signal
		Name(&wake, "wake")
		s.Go("sleeper", func() {
			if locked {
				m.Lock()
			}
			sleep := work.Load() == 0
			if sleep {
				asleep.Store(1)
			}
			if locked {
				m.Unlock()
			}
			if sleep {
				wake.Receive()
			}
		})
		s.Go("waker", func() {
			work.Store(1)
			if locked {
				m.Lock()
			}
			if asleep.Load() == 1 {
				wake.Send()
			}
			if locked {
				m.Unlock()
			}
		})
	}
}

func TestLostWakeUpIsADeadlock(t *testing.T) {
	explore(t, Options{}, wakeUp(true))
	mustFail(t, wakeUp(false), "sleeper waits to receive wake")
}

// stack is a linked stack whose nodes are reused, with or without a tag
// beside the top that makes a reused node look different.
func stack(tagged bool) Program {
	return func(s *Scene) {
		const none = 15
		var top Uint64 // tag << 8 | node
		var next [2]Uint64
		Name(&top, "top")
		pop := func() uint64 {
			for {
				t := top.Load()
				if t&none == none {
					return none
				}
				n := next[t&none].Load()
				if tagged {
					n |= (t>>8 + 1) << 8
				}
				if top.CompareAndSwap(t, n) {
					return t & none
				}
			}
		}
		push := func(node uint64) {
			for {
				t := top.Load()
				next[node].Store(t & none)
				if tagged {
					node |= t >> 8 << 8
				}
				if top.CompareAndSwap(t, node) {
					return
				}
				node &= none
			}
		}
		next[0].Store(1)
		next[1].Store(none)
		var mine, held uint64 = none, none
		s.Go("popper", func() { mine = pop() })
		s.Go("reuser", func() {
			a := pop()
			held = pop()
			if a != none {
				push(a)
			}
		})
		s.Finally(func() {
			seen := map[uint64]bool{none: true}
			for _, n := range []uint64{mine, held, pop(), pop()} {
				if n != none && seen[n] {
					Failf("node %d is in two places", n)
				}
				seen[n] = true
			}
		})
	}
}

func TestABA(t *testing.T) {
	explore(t, Options{}, stack(true))
	mustFail(t, stack(false), "is in two places")
}

func TestPlainAccessesMustNotRace(t *testing.T) {
	publish := func(plain func(x *Mixed[int], p *int), ready func(*Int32)) Program {
		return func(s *Scene) {
			var x Mixed[int]
			var flag Int32
			v := 7
			Name(&x, "x")
			s.Go("writer", func() { plain(&x, &v); ready(&flag) })
			s.Go("reader", func() {
				if flag.Load() == 1 && x.Read() != &v {
					Failf("the flag is set, but x is not")
				}
			})
		}
	}
	write, set := (*Mixed[int]).Write, func(f *Int32) { f.Store(1) }
	explore(t, Options{}, publish(write, set))
	explore(t, Options{}, publish((*Mixed[int]).Store, set))
	late := func(f *Int32) {} // and the write comes after
	mustFail(t, publish(func(x *Mixed[int], p *int) {}, set), "the flag is set, but x is not")
	explore(t, Options{}, publish(write, late))

	both := func(a, b func(x *Mixed[int])) Program {
		return func(s *Scene) {
			var x Mixed[int]
			Name(&x, "x")
			s.Go("one", func() { a(&x) })
			s.Go("other", func() { b(&x) })
		}
	}
	read := func(x *Mixed[int]) { x.Read() }
	put := func(x *Mixed[int]) { x.Write(nil) }
	atomicRead := func(x *Mixed[int]) { x.Load() }
	atomicPut := func(x *Mixed[int]) { x.Store(nil) }
	for _, ok := range [][2]func(*Mixed[int]){{read, read}, {read, atomicRead}, {atomicRead, atomicPut}, {atomicPut, atomicPut}} {
		explore(t, Options{}, both(ok[0], ok[1]))
		explore(t, Options{}, both(ok[1], ok[0]))
	}
	for _, bad := range [][2]func(*Mixed[int]){{read, put}, {put, put}, {put, atomicRead}, {read, atomicPut}, {put, atomicPut}} {
		mustFail(t, both(bad[0], bad[1]), "data race on x")
		mustFail(t, both(bad[1], bad[0]), "data race on x")
	}
}

// TestOldValuesDoNotPublish: who reads a value knows what came before the store
// of that value, not what came before a later store.
func TestOldValuesDoNotPublish(t *testing.T) {
	mustFail(t, func(s *Scene) {
		var flag Int32
		var data Cell[int]
		s.Go("writer", func() {
			flag.Store(1)
			data.Write(1)
			flag.Store(2)
		})
		s.Go("reader", func() {
			if flag.Load() == 1 {
				data.Read()
			}
		})
	}, "data race")
}

func TestDaemonsMayBeLeft(t *testing.T) {
	serve := func(add func(s *Scene, name string, run func())) Program {
		return func(s *Scene) {
			var call Signal
			done := 0
			add(s, "server", func() {
				for {
					call.Receive()
					done++
				}
			})
			s.Go("client", call.Send)
			s.Finally(func() {
				if done != 1 {
					Failf("%d calls were served", done)
				}
			})
		}
	}
	explore(t, Options{}, serve((*Scene).Daemon))
	mustFail(t, serve((*Scene).Go), "server waits to receive")
}

func TestPanicsAndLoopsAreFailures(t *testing.T) {
	_, err := Explore(Options{}, func(s *Scene) {
		s.Go("thread", func() { panic("boom") })
	})
	if err == nil || !strings.Contains(err.Error(), "thread panicked: boom") {
		t.Errorf("got %v", err)
	}
	mustFail(t, func(s *Scene) {
		var x Int32
		s.Go("spinner", func() {
			for x.Load() == 0 {
			}
		})
		s.Go("other", func() { x.Load() })
	}, "livelock")
	mustFail(t, func(s *Scene) {
		var m Mutex
		s.Go("thread", m.Unlock)
	}, "is unlocked")
}

// TestDeferredCallsOfAbandonedThreads: runs that are cut short, or end with
// daemons, unwind threads that hold locks.
func TestDeferredCallsOfAbandonedThreads(t *testing.T) {
	explore(t, Options{}, func(s *Scene) {
		var m Mutex
		var never Signal
		var x Int64
		for range 2 {
			s.Daemon("holder", func() {
				m.Lock()
				defer m.Unlock()
				defer x.Add(1)
				never.Receive()
			})
		}
		s.Go("other", func() { x.Add(1) })
	})
}

func TestSchedules(t *testing.T) {
	steps := []int{0, 0, 0, 1, 0, 2, 2}
	text := formatSchedule(steps)
	if text != "a3bac2" {
		t.Errorf("formatted %q", text)
	}
	back, err := parseSchedule(text)
	if err != nil || len(back) != len(steps) {
		t.Errorf("parsed %v, %v", back, err)
	}
	for _, bad := range []string{"3a", "z", "a999999999999999999999", "a70000", "A", "a-1"} {
		if steps, err := parseSchedule(bad); err == nil {
			t.Errorf("%q was parsed as %d steps", bad, len(steps))
		}
	}
	program := func(s *Scene) {
		var x Int64
		s.Go("a", func() { x.Add(1) })
	}
	for _, wrong := range []string{"b", "a2b"} {
		_, err := Explore(Options{Schedule: wrong}, program)
		if wrong == "b" && (err == nil || !strings.Contains(err.Error(), "does not fit")) {
			t.Errorf("schedule %s: got %v", wrong, err)
		}
	}
}

func FuzzSchedule(f *testing.F) {
	f.Add("a3bac2")
	f.Add("h65536")
	f.Fuzz(func(t *testing.T, s string) {
		steps, err := parseSchedule(s)
		if err != nil {
			return
		}
		if len(steps) > maxScheduled+len(s) {
			t.Fatalf("%d steps", len(steps))
		}
		again, err := parseSchedule(formatSchedule(steps))
		if err != nil || len(again) != len(steps) {
			t.Fatalf("%q became %v, %v", s, again, err)
		}
	})
}

func TestSamples(t *testing.T) {
	runs := 0
	stats := explore(t, Options{Sample: 50, Seed: 1}, func(s *Scene) {
		runs++
		var x Int64
		for range 8 {
			s.Go("thread", func() {
				for range 20 {
					x.Add(1)
				}
			})
		}
	})
	if stats.Runs != 50 || runs != 50 {
		t.Errorf("%d of %d runs", stats.Runs, runs)
	}
}

func TestIntegersAreLikeThoseOfSyncAtomic(t *testing.T) {
	var a Int32
	if a.Add(-3) != -3 || a.Load() != -3 || a.Swap(5) != -3 || !a.CompareAndSwap(5, 6) || a.CompareAndSwap(5, 7) {
		t.Errorf("Int32 is %d", a.Load())
	}
	var b Uint64
	b.Store(0b1100)
	if b.Or(0b0011) != 0b1100 || b.And(0b0110) != 0b1111 || b.Load() != 0b0110 {
		t.Errorf("Uint64 is %b", b.Load())
	}
	var c Uint32
	if c.Add(^uint32(0)) != 1<<32-1 {
		t.Errorf("Uint32 is %d", c.Load())
	}
	var p Pointer[int]
	one, two := 1, 2
	if p.Load() != nil || p.Swap(&one) != nil || !p.CompareAndSwap(&one, &two) || p.CompareAndSwap(&one, nil) || p.Load() != &two {
		t.Error("Pointer differs")
	}
}
