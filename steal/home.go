package steal

import "github.com/filchsched/filch/steal/core"

// Home is whoever submitted jobs here. Header and Body may be called from any goroutine; the rest is called
// from one goroutine, in order, and must not block.
type Home interface {
	// Header encodes what all tasks of a job have in common. It is asked once for each job
	// and peer.
	Header(core.JobID) ([]byte, error)
	// Body appends the encoding of what one task is to b and returns it. It is asked when the
	// task leaves this process or starts here, and perhaps again later, until it is committed.
	Body(b []byte, job core.JobID, index uint64) ([]byte, error)
	// Committed is the one outcome of each task of a piece. The outputs, all there and whole, belong to Home,
	// which closes them.
	Committed(c core.Commit, outputs []Output)
	// Told is what else becomes of jobs: CancelAccepted, Stopped, Unconfirmed, JobDone, and to a guest Declined. Wanted is
	// about no job: peers wait here for work (Core.Appetite).
	Told(core.Effect)
}
