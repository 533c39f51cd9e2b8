package proc

import (
	"testing"
	"time"
)

// A chatty command is left alone for longer and longer, up to a limit; one
// that fills its pipe is soon never kept waiting, and in between nothing changes.
func TestNextPause(t *testing.T) {
	steps := func(pause time.Duration, got int) time.Duration {
		for range 10 {
			pause = nextPause(pause, got)
		}
		return pause
	}
	if p := steps(0, 100); p != pauseMax {
		t.Errorf("after little output: %v", p)
	}
	if p := steps(pauseMax, scratchSize); p >= pauseMin {
		t.Errorf("after full pipes: %v", p)
	}
	if p := steps(pauseFirst, scratchSize/2); p != pauseFirst {
		t.Errorf("after half full pipes: %v", p)
	}
}
