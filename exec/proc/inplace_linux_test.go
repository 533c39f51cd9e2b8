package proc

import (
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Goroutines that wait in their places do not keep the collector, or others, from going on.
func TestPollInPlaceLeavesRoom(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	var ends [2]int
	if err := unix.Pipe2(ends[:], unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	defer unix.Close(ends[0])
	const waiters = 8 // more than there are places
	done := make(chan error, waiters)
	for range waiters {
		go func() {
			fds := []unix.PollFd{{Fd: int32(ends[0]), Events: unix.POLLIN}}
			for fds[0].Revents == 0 {
				if err := pollInPlace(fds, tooLate); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for inPlace.Load() < waiters {
		runtime.Gosched()
	}
	begin := time.Now()
	for range 10 {
		runtime.GC()
	}
	unix.Close(ends[1])
	for range waiters {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if took := time.Since(begin); took >= tooLate {
		t.Errorf("ten collections and the end of the wait took %v", took)
	}
	if n := inPlace.Load(); n != 0 {
		t.Errorf("%d are still said to wait", n)
	}
}
