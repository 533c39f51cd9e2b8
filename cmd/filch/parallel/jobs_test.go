package parallel

import (
	"sync"
	"testing"
)

func TestParseJobs(t *testing.T) {
	for _, c := range []struct {
		arg        string
		cpus, want int
	}{
		{"3", 2, 3}, {"1", 2, 1}, {"0", 2, 0},
		{"100%", 2, 2}, {"50%", 2, 1}, {"10%", 2, 1}, {"150%", 2, 3}, {"151%", 2, 4}, {"175%", 2, 4}, {"200%", 2, 4},
		{"+1", 2, 3}, {"+0", 2, 2}, {"-0", 2, 2}, {"-1", 2, 1}, {"-1", 8, 7}, {"-5", 2, 1},
	} {
		if got, err := ParseJobs(c.arg, c.cpus); err != nil || got != c.want {
			t.Errorf("-j %s on %d CPUs: got %d, %v, want %d", c.arg, c.cpus, got, err, c.want)
		}
	}
	for _, arg := range []string{"", "x", "1.5", " 2", "2 ", "0%", "+3%", "-3%", "%", "+", "-", "++1", "+-1", "1e3", "99999999999999999999", "/tmp/file"} {
		if n, err := ParseJobs(arg, 2); err == nil {
			t.Errorf("-j %q was taken for %d", arg, n)
		}
	}
}

func TestExitCode(t *testing.T) {
	for failed, want := range map[int64]int{0: 0, 1: 1, 100: 100, 101: 101, 1 << 40: 101} {
		if got := ExitCode(failed); got != want {
			t.Errorf("%d failures: %d", failed, got)
		}
	}
}

// Invariant: no two holders of a slot, and always the lowest.
func TestSlots(t *testing.T) {
	var s Slots
	for want := 1; want <= 130; want++ {
		if got := s.Acquire(0); got != want {
			t.Fatalf("got %d, want %d", got, want)
		}
	}
	for _, slot := range []int{64, 65, 1, 128} {
		s.Release(slot)
	}
	for _, want := range []int{1, 64, 65, 128, 131} {
		if got := s.Acquire(0); got != want {
			t.Fatalf("got %d, want %d", got, want)
		}
	}
}

func TestSlotWish(t *testing.T) {
	var s Slots
	for i, want := range []struct{ wish, get int }{{70, 70}, {0, 1}, {1, 2}, {70, 3}, {0, 4}} {
		if got := s.Acquire(want.wish); got != want.get {
			t.Errorf("%d: wished %d, got %d, want %d", i, want.wish, got, want.get)
		}
	}
}

func TestSlotsConcurrently(t *testing.T) {
	const holders, rounds = 8, 2000
	var s Slots
	var owner [holders + 1]sync.Mutex
	var wg sync.WaitGroup
	for range holders {
		wg.Go(func() {
			for range rounds {
				slot := s.Acquire(0)
				if slot > holders {
					t.Errorf("slot %d of %d", slot, holders)
				} else if !owner[slot].TryLock() {
					t.Errorf("slot %d has two owners", slot)
				} else {
					owner[slot].Unlock()
				}
				s.Release(slot)
			}
		})
	}
	wg.Wait()
}
