package stepper

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

// classes explores a program and returns, for each class of runs that it met,
// how the first one ended, and how many there were.
func classes(t *testing.T, o Options, program Program) (ends map[string]string, runs int) {
	t.Helper()
	exploring.Lock()
	defer exploring.Unlock()
	x := &explorer{options: o, program: program}
	x.options.MaxSteps = DefaultMaxSteps
	defer x.dismiss()
	if err := x.plan(); err != nil {
		t.Fatal(err)
	}
	ends = make(map[string]string)
	for {
		x.do()
		if x.finished {
			runs++
			key := x.class()
			if end, met := ends[key]; met && end != x.failure {
				t.Fatalf("two runs of one class end as %q and as %q", end, x.failure)
			}
			ends[key] = x.failure
		}
		x.failure = "" // go on all the same
		if !x.again() {
			return ends, runs
		}
	}
}

// class returns what all runs have in common that differ from the current one
// in the order of independent steps only: which steps each step depends on.
func (x *explorer) class() string {
	var key []byte
	for id := range x.threads {
		for _, p := range x.path[:x.now] {
			if p.chosen == id {
				for _, n := range p.seen {
					key = binary.LittleEndian.AppendUint16(key, n)
				}
			}
		}
		key = append(key, '|')
	}
	return string(key)
}

// compare checks that the reduced search meets each class of the full one
// exactly once, and that runs of one class end the same.
func compare(t *testing.T, program Program) (full, reduced int) {
	t.Helper()
	all, full := classes(t, Options{Full: true}, program)
	some, reduced := classes(t, Options{}, program)
	if !maps.Equal(all, some) {
		t.Fatalf("%d classes in all %d interleavings, but the reduced search met %d", len(all), full, len(some))
	}
	if reduced != len(some) {
		t.Fatalf("the reduced search met %d classes in %d runs", len(some), reduced)
	}
	return full, reduced
}

// randomProgram makes a program of a few threads that load, store, add, lock,
// signal and wait at random, and whose threads branch on what they have seen.
func randomProgram(rng *rand.Rand, steps int) Program {
	type call struct{ what, on, arg int }
	calls := make([][]call, 2+rng.IntN(3))
	for range steps {
		i := rng.IntN(len(calls))
		calls[i] = append(calls[i], call{rng.IntN(13), rng.IntN(3), rng.IntN(3)})
	}
	return func(s *Scene) {
		var ints [3]Int64
		var mutexes [2]Mutex
		var signals [3]Signal
		var order Order
		for id, mine := range calls {
			s.Go(fmt.Sprint("thread", id), func() {
				odd := false
				var held [2]bool
				for _, c := range mine {
					m := c.on % 2
					switch {
					case c.what < 2:
						odd = ints[c.on].Load()%2 == 1
					case c.what < 4:
						ints[c.on].Store(int64(c.arg))
					case c.what == 4:
						ints[c.on].Add(1)
					case c.what == 5:
						odd = ints[c.on].CompareAndSwap(int64(c.arg), int64(id))
					case c.what == 6 && odd:
						ints[c.on].Store(int64(c.arg + 1))
					case c.what == 7:
						ints[c.on].Await(func(v int64) bool { return v != int64(c.arg) })
					case c.what == 8:
						signals[c.on].Send()
					case c.what == 9:
						signals[c.on].Receive()
					case c.what == 10:
						order.Enter()
					case c.what == 11:
						order.Leave()
					case held[m]:
						mutexes[m].Unlock()
						held[m] = false
					default:
						mutexes[m].Lock()
						held[m] = true
					}
				}
				for m, h := range held {
					if h {
						mutexes[m].Unlock()
					}
				}
			})
		}
	}
}

func TestReductionMeetsEachClassOnce(t *testing.T) {
	programs := 3000
	if testing.Short() || underRace { // the race detector makes coroutines thirty times slower
		programs = 100
	}
	var full, reduced int
	for seed := range programs {
		t.Run(fmt.Sprint("seed", seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(uint64(seed), 7))
			f, r := compare(t, randomProgram(rng, 4+rng.IntN(5)))
			full += f
			reduced += r
		})
		if t.Failed() {
			return
		}
	}
	t.Logf("%d programs: %d interleavings in %d classes", programs, full, reduced)
}

// TestLockersAndWaiters compares on programs with much blocking, where
// reduction is most easily wrong.
func TestLockersAndWaiters(t *testing.T) {
	kinds := []struct {
		name string
		body func(m *Mutex, s *Signal, n *Int64)
	}{
		{"lock", func(m *Mutex, _ *Signal, n *Int64) { m.Lock(); n.Add(1); m.Unlock() }},
		{"send", func(_ *Mutex, s *Signal, n *Int64) { n.Store(2); s.Send() }},
		{"receive", func(_ *Mutex, s *Signal, n *Int64) { s.Receive(); n.Load() }},
		{"await", func(_ *Mutex, _ *Signal, n *Int64) { n.Await(func(v int64) bool { return v > 0 }) }},
		{"send under lock", func(m *Mutex, s *Signal, n *Int64) { m.Lock(); s.Send(); m.Unlock() }},
		{"up and down", func(_ *Mutex, _ *Signal, n *Int64) { n.Add(1); n.Add(-1) }},
	}
	for picks := range 6 * 6 * 6 {
		chosen := []int{picks % 6, picks / 6 % 6, picks / 36}
		if !slices.IsSorted(chosen) {
			continue
		}
		compare(t, func(s *Scene) {
			var m Mutex
			var sig Signal
			var n Int64
			for _, k := range chosen {
				s.Go(kinds[k].name, func() { kinds[k].body(&m, &sig, &n) })
			}
		})
	}
}
