package core

// Counts tells where the tasks of a job of this home are; all are 0 for one that it does not
// know. Together they are all of the job's tasks.
func (c *Core) Counts(id JobID) (queued, held, committed uint64) {
	j := c.jobs[id]
	if j == nil {
		return 0, 0, 0
	}
	return j.state.Count(taskQueued), j.state.Count(taskHeld), j.state.Count(taskCommitted)
}

// Terms are those of a job of this home.
func (c *Core) Terms(id JobID) (t Terms, ok bool) {
	if j := c.jobs[id]; j != nil {
		return j.terms, true
	}
	return t, false
}

// Failures is how often a task of this home has failed, or was lost when it is known to have run.
func (c *Core) Failures(id JobID, index uint64) int {
	j := c.jobs[id]
	if j == nil {
		return 0
	}
	n := c.noteAt(j, index)
	return int(n.fails) + int(n.losses)
}
