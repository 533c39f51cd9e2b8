package gid

import (
	"runtime"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestGoroutinesThatLiveDiffer: of many at a time no two are taken for one, and each keeps its identity while its
// stack grows and moves and while it changes threads. The portable way is held to the same.
func TestGoroutinesThatLiveDiffer(t *testing.T) {
	for name, current := range map[string]func() uintptr{"Current": Current, "numbered": numbered} {
		t.Run(name, func(t *testing.T) {
			const n = 200
			var mu sync.Mutex
			seen := map[uintptr]bool{current(): true}
			var all, done sync.WaitGroup
			all.Add(n)
			for range n {
				done.Go(func() {
					id := current()
					mu.Lock()
					if seen[id] || id == 0 {
						t.Errorf("%#x is another goroutine's already", id)
					}
					seen[id] = true
					mu.Unlock()
					all.Done()
					all.Wait() // nobody ends before all have looked
					grow(200, runtime.Gosched)
					if now := current(); now != id {
						t.Errorf("%#x has become %#x", id, now)
					}
				})
			}
			done.Wait()
		})
	}
}

// grow uses a few hundred kilobytes of stack.
func grow(n int, then func()) byte {
	var room [1024]byte
	if n == 0 {
		then()
		return room[0]
	}
	room[n] = grow(n-1, then)
	return room[n]
}

// TestCallsOfOneGoroutineAgree: also through interfaces, closures and deferred calls after a panic.
func TestCallsOfOneGoroutineAgree(t *testing.T) {
	id := Current()
	defer func() {
		if recover(); Current() != id {
			t.Error("differs after a panic")
		}
	}()
	func() {
		if Current() != id {
			t.Error("differs in a closure")
		}
	}()
	if a := testing.AllocsPerRun(100, func() { Current() }); a != 0 {
		t.Errorf("%v allocations", a)
	}
	panic("on purpose")
}

func BenchmarkCurrent(b *testing.B) {
	for b.Loop() {
		Current()
	}
}

func BenchmarkNumbered(b *testing.B) {
	for b.Loop() {
		numbered()
	}
}
