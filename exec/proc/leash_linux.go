package proc

import (
	"time"

	"golang.org/x/sys/unix"
)

// leashLook is how often the supervisor looks at leashes while there are any. The three seconds
// by which a holder's lease ends before its grantor's have room for it and for the grace.
const leashLook = 200 * time.Millisecond

// keepLeashes has somebody look at the leashes, if any command may be on one.
func (s *supervisor) keepLeashes() {
	if s.leashing.CompareAndSwap(false, true) {
		time.AfterFunc(leashLook, s.lookAtLeashes)
	}
}

// lookAtLeashes ends the commands whose leash is over, and comes back while there are leashes.
func (s *supervisor) lookAtLeashes() {
	now := Clock()
	any := false
	s.mu.Lock()
	for pid, r := range s.running {
		until := s.board.leash(r.slot)
		if until == 0 {
			continue
		}
		any = true
		switch {
		case now < until:
		case r.told == 0:
			r.told = now
			r.left = append(descendants(pid, nil), pid)
			end(pid, r, unix.SIGTERM)
			end(pid, r, unix.SIGCONT)
		case now-r.told >= grace:
			r.left = append(r.left, descendants(pid, nil)...)
			end(pid, r, unix.SIGKILL)
		}
	}
	s.leashing.Store(false)
	s.mu.Unlock()
	if any {
		s.keepLeashes()
	}
}

// end signals a command and what it had started when its leash was over.
func end(pid int, r *runningCommand, sig unix.Signal) {
	if !r.foreground {
		unix.Kill(-pid, sig)
	}
	for _, p := range r.left {
		unix.Kill(p, sig)
	}
}

// onBoard keeps the leash of a command written where the supervisor sees it, until untie. It must be there
// before the command is asked for.
func (l *Leash) onBoard(b *board, slot int) (untie func()) {
	if l == nil {
		return func() {}
	}
	return l.tie(func(until time.Duration) { b.leashes[slot].Store(max(1, int64(until))) })
}
