package guest

import (
	"time"

	"github.com/filchsched/filch/steal"
	"github.com/filchsched/filch/steal/core"
)

// Wants implements steal.Executor: a guest of ours knows its own tasks. Those of other
// nodes' guests are as anybody's.
func (h *Host) Wants(job core.JobID) bool {
	return h.visitor(job.Home) == nil && h.exec != nil && h.exec.Wants(job)
}

// Start implements steal.Executor. A guest's own tasks go to the guest. Without a header they are of
// one that left between Wants and here.
func (h *Host) Start(r steal.Run, end func(steal.End)) {
	v := h.visitor(r.Piece.Job.Home)
	switch {
	case v != nil:
		v.start(r.Piece, end)
	case Is(r.Piece.Job.Home) && r.Header == nil || h.exec == nil:
		go end(byHome(r.Piece, 0)) // not on the driver's goroutine, which waits for us
	default:
		h.exec.Start(r, end)
	}
}

// Halt implements steal.Executor.
func (h *Host) Halt(p core.Piece) {
	if v := h.visitor(p.Job.Home); v != nil {
		v.halt(p)
	} else if h.exec != nil {
		h.exec.Halt(p)
	}
}

// Leash implements steal.Executor. What guests execute is on none: they are home, and two of
// it cannot be.
func (h *Host) Leash(key uint64, until time.Duration) {
	if h.exec != nil {
		h.exec.Leash(key, until)
	}
}

func (v *visitor) start(p core.Piece, end func(steal.End)) {
	v.mu.Lock()
	gone := v.gone
	if !gone {
		v.ended[p] = end
	}
	v.mu.Unlock()
	if gone {
		go end(byHome(p, 0))
		return
	}
	v.orders.put(frame{kind: frameStart, piece: p})
}

func (v *visitor) halt(p core.Piece) { v.orders.put(frame{kind: frameHalt, piece: p}) }
