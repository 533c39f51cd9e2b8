package core

import "github.com/filchsched/filch/exec/task"

// cancelTasks commits what has no outcome of a part of a job as cancelled: calls that their caller has given up. Whoever
// holds something of it is told to drop it, nothing of it is granted or started any more, and an outcome that
// comes all the same is counted and dropped, as that of any second attempt. The rest of the job goes on. What lies beyond
// the job is no task of it; who cancels twice changes nothing.
func (c *Core) cancelTasks(ev CancelTasks) {
	j := c.jobs[ev.Job]
	if j == nil {
		return
	}
	s, ok := ev.Span.meet(Span{0, j.n})
	if !ok {
		return
	}
	for _, r := range j.state.In(s) {
		if r.Value != taskCommitted {
			j.tell(c, entry{Kind: storyCancelled, Span: r.Span, Why: "its caller has given it up"})
			c.commit(j, Commit{Piece: Piece{Job: j.id, Span: r.Span}, State: task.Cancelled, Reason: "cancelled"})
		}
	}
}
