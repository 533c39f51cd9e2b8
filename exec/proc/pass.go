package proc

import (
	"os"
	"syscall"
	"time"
)

// passSignals sends p what comes through signals. rest ends that, and must be called when p has ended.
func passSignals(signals <-chan os.Signal, p process) (rest func()) {
	if signals == nil {
		return func() {}
	}
	over, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-over:
				return
			case s, ok := <-signals:
				if !ok || !hasStarted(p, over) {
					return
				}
				if sig, ok := s.(syscall.Signal); ok {
					p.signal(sig)
				}
			}
		}
	}()
	return func() {
		close(over)
		<-done
	}
}

// hasStarted waits until p has; false if it is over before. To signal it earlier would keep it
// from starting. A supervisor that somebody has stopped would never say that it has, so it is woken.
func hasStarted(p process, over <-chan struct{}) bool {
	if s, ok := p.(interface{ wake() }); ok && p.pid() <= 0 {
		s.wake()
	}
	for p.pid() <= 0 {
		select {
		case <-over:
			return false
		case <-time.After(groupLookFirst):
		}
	}
	return true
}
