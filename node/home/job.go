package home

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/steal"
	"github.com/filchsched/filch/steal/core"
)

// A Submission is what a job is made of. What it points to belongs to the table afterwards.
type Submission struct {
	Title  string     // for people
	Terms  core.Terms // Name and Kind are required
	Header []byte     // what all tasks have in common, encoded
	Bodies [][]byte   // what each task is, encoded; at least one
	// Show tells people what a body is; nil: nothing.
	Show func(body []byte) string
	// Open takes the value of a task apart, for commands, whose output may be in it; nil: it
	// is what a function returned.
	Open func(value []byte) (Printed, error)
}

// Printed is what the value of a command's outcome has in it.
type Printed struct {
	Stdout, Stderr []byte
	Signal         int    // that ended it; 0: none
	Reason         string // why it failed, if it could not say so itself
}

// A Job is a set of tasks that was submitted to this node. Its methods may be called
// concurrently.
type Job struct {
	ID        core.JobID
	Title     string
	Name      string // what its tasks run: a function, or a program
	Kind      task.Kind
	N         int
	Nice      int
	Submitted time.Time

	table  *Table
	head   []byte
	bodies [][]byte
	size   int64 // bytes of bodies
	show   func([]byte) string
	open   func([]byte) (Printed, error)

	mu       sync.Mutex
	outcomes []outcome // by index
	order    []uint32  // indices, as they ended
	more     chan struct{}
	hosts    []core.PeerID
	outputs  map[uint32]*output
	counts   JobCounts
	ended    time.Time
	lost     bool // the node ended before the job did
	cancel   cancelling
	done     chan struct{} // closed when every task has its outcome, or the node has ended
}

// outcome is Outcome, as small as can be: there may be millions.
type outcome struct {
	state   task.State
	host    uint16
	exit    int32
	attempt uint32
	ran     time.Duration
	at      time.Duration // since the job was submitted
	reason  string
}

// An Outcome is what a task ended in.
type Outcome struct {
	Index   int
	State   task.State // 0: none yet
	Exit    int        // of a command; 128 and more: a signal ended it
	Reason  string     // why it failed, or was cancelled
	Host    string     // peer ID of the node that ran it; "" if none did
	Attempt uint32     // the number of the attempt that counted, counted per job
	Ran     time.Duration
	Ended   time.Time
	// Result is what a function returned, Stdout and Stderr are what a command printed: as
	// much of it as is kept, which Whole and the lengths tell.
	Result, Stdout, Stderr       []byte
	StdoutLength, StderrLength   int64
	OutputDropped, ResultDropped bool
}

// JobCounts is how many tasks of a job are in which state.
type JobCounts struct{ Done, Failed, Cancelled int }

// Ended counts the tasks that have an outcome.
func (c JobCounts) Ended() int { return c.Done + c.Failed + c.Cancelled }

// Submit makes a job. The error says what is wrong with it, wraps ErrTooMany if it is
// beyond a bound, or ErrEnded if the node ends.
func (t *Table) Submit(ctx context.Context, s Submission) (*Job, error) {
	n := len(s.Bodies)
	switch {
	case n == 0:
		return nil, errors.New("a job needs at least one task")
	case n > MaxTasks:
		return nil, tooMany("tasks of one job", n, MaxTasks)
	case s.Terms.Name == "" || s.Terms.Kind == "":
		return nil, errors.New("a job needs to say what its tasks run")
	}
	j := &Job{
		Title: s.Title, Name: s.Terms.Name, Kind: s.Terms.Kind, N: n, Nice: int(s.Terms.Nice), Submitted: monotone(),
		table: t, head: s.Header, bodies: s.Bodies, show: s.Show, open: s.Open,
		outcomes: make([]outcome, n), more: make(chan struct{}), done: make(chan struct{}),
	}
	for i, b := range s.Bodies {
		if len(b) > MaxBody {
			return nil, fmt.Errorf("task %d: %w", i, tooMany("bytes of arguments", len(b), MaxBody))
		}
		j.size += int64(len(b))
	}
	t.forgetOld()
	if err := t.reserve(j); err != nil {
		return nil, err
	}
	id, err := t.driver.Submit(ctx, s.Terms, 0)
	if err != nil {
		t.release(j)
		return nil, ended(err)
	}
	// Known before it has any task: the driver asks for tasks at once.
	j.ID = id
	t.mu.Lock()
	t.records[id] = j
	t.jobs = append(t.jobs, j)
	t.mu.Unlock()
	if err := t.driver.Tell(core.Extend{Job: id, N: uint64(n)}); err != nil {
		j.end()
		return nil, ended(err)
	}
	t.stir()
	return j, nil
}

// ended turns the driver's word for its end into ours.
func ended(err error) error {
	if errors.Is(err, steal.ErrEnded) {
		return ErrEnded
	}
	return err
}

// reserve counts a job in, before it has a name.
func (t *Table) reserve(j *Job) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.closed:
		return ErrEnded
	case len(t.jobs)-t.finished >= MaxJobs:
		return tooMany("jobs that have not ended", len(t.jobs)-t.finished+1, MaxJobs)
	case t.tasks+j.N > MaxAllTasks:
		return tooMany("tasks of all jobs", t.tasks+j.N, MaxAllTasks)
	case t.bodies+j.size > MaxAllBodies:
		return tooMany("bytes of all jobs' arguments", int(t.bodies+j.size), MaxAllBodies)
	}
	t.tasks += j.N
	t.bodies += j.size
	return nil
}

func (t *Table) release(j *Job) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.tasks -= j.N
	t.bodies -= j.size
}

func (j *Job) header() ([]byte, error) { return j.head, nil }

func (j *Job) body(b []byte, i uint64) ([]byte, error) {
	if i >= uint64(len(j.bodies)) {
		return b, fmt.Errorf("job %v has no task %d", j.ID, i)
	}
	return append(b, j.bodies[i]...), nil
}

// Show tells people what a task is; "" if there is nothing to tell.
func (j *Job) Show(index int) string {
	if j.show == nil || index < 0 || index >= len(j.bodies) {
		return ""
	}
	return j.show(j.bodies[index])
}

// committed leaves everything to Run, since outputs may have to be read from a disk.
func (j *Job) committed(c core.Commit, outputs []steal.Output) func() {
	return func() { j.record(c, outputs) }
}

func (j *Job) record(c core.Commit, outputs []steal.Output) {
	kept := j.keep(c, outputs)
	j.mu.Lock()
	host := j.hostOf(c.Host)
	at := time.Since(j.Submitted)
	last := false
	for i := c.Piece.Lo; i < min(c.Piece.Hi, uint64(j.N)); i++ {
		o := &j.outcomes[i]
		if o.state != 0 {
			continue // home commits once; whoever breaks that is found by core's own assertions
		}
		*o = outcome{c.State, host, c.Exit, c.Piece.Attempt.N, c.Ran / time.Duration(c.Piece.Len()), at, short(c.Reason)}
		if k := kept[uint32(i)]; k != nil {
			o.exit += int32(k.signal) // as a shell would say it
			o.reason = cmp.Or(o.reason, short(k.reason))
		}
		j.order = append(j.order, uint32(i))
		j.counts.add(c.State)
	}
	for i, k := range kept {
		if j.outputs == nil {
			j.outputs = make(map[uint32]*output)
		}
		j.outputs[i] = k
	}
	if last = j.counts.Ended() == j.N && j.ended.IsZero(); last {
		j.ended = monotone()
	}
	close(j.more)
	j.more = make(chan struct{})
	j.mu.Unlock()
	j.table.counts.add(j.Kind, c.State, c.Piece.Len())
	if last {
		j.table.jobEnded()
		close(j.done)
	}
}

// jobEnded counts a job out.
func (t *Table) jobEnded() {
	t.mu.Lock()
	t.finished++
	t.mu.Unlock()
	t.forgetOld()
}

func (c *JobCounts) add(s task.State) {
	switch s {
	case task.Done:
		c.Done++
	case task.Cancelled:
		c.Cancelled++
	default:
		c.Failed++
	}
}

// hostOf returns the number of a host; 0 is none.
func (j *Job) hostOf(p core.PeerID) uint16 {
	if p == "" {
		return 0
	}
	i := slices.Index(j.hosts, p)
	if i < 0 && len(j.hosts) < 1<<16-1 {
		i = len(j.hosts)
		j.hosts = append(j.hosts, p)
	}
	return uint16(i + 1)
}

// end is the end of the node before that of the job.
func (j *Job) end() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.lost || !j.ended.IsZero() {
		return
	}
	j.lost = true
	close(j.more)
	j.more = make(chan struct{})
	close(j.done)
	j.cancel.end()
}

func (j *Job) over() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return !j.ended.IsZero()
}

// Counts tells how many tasks ended in what so far.
func (j *Job) Counts() JobCounts {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.counts
}

// Ended is when the last task got its outcome; zero before that.
func (j *Job) Ended() time.Time {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.ended
}

// Done is closed when every task has its outcome, or the node has ended.
func (j *Job) Done() <-chan struct{} { return j.done }

// A JobError says that a job has ended and not all of its tasks are done.
type JobError struct {
	Job    core.JobID
	Counts JobCounts
	First  Outcome // the first that failed, or was cancelled
}

// Error tells how many, and the first of them.
func (e *JobError) Error() string {
	what := fmt.Sprintf("%d of %d tasks failed", e.Counts.Failed, e.Counts.Ended())
	if e.Counts.Cancelled > 0 {
		what += fmt.Sprintf(", %d were cancelled", e.Counts.Cancelled)
	}
	why := e.First.Reason
	if why == "" {
		why = fmt.Sprintf("exit %d", e.First.Exit)
	}
	return fmt.Sprintf("%s, the first: task %d: %s", what, e.First.Index, why)
}

// Wait returns when every task has its outcome: nil if all are done, else a *JobError; or
// ErrEnded if the node ended before; or the cause of ctx, if that is done before.
func (j *Job) Wait(ctx context.Context) error {
	select {
	case <-j.done:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case j.lost:
		return ErrEnded
	case j.counts.Done == j.N:
		return nil
	}
	e := &JobError{Job: j.ID, Counts: j.counts}
	for _, i := range j.order {
		if j.outcomes[i].state != task.Done {
			e.First = j.outcome(int(i), false)
			break
		}
	}
	return e
}

// Results yields the outcome of each task once, in the order in which they ended, until
// all have or ctx is done.
func (j *Job) Results(ctx context.Context) iter.Seq[Outcome] {
	return func(yield func(Outcome) bool) {
		for next := 0; ; {
			j.mu.Lock()
			over, more := !j.ended.IsZero() || j.lost, j.more
			var some []Outcome
			for ; next < len(j.order) && len(some) < 256; next++ {
				some = append(some, j.outcome(int(j.order[next]), true))
			}
			over = over && next == len(j.order)
			j.mu.Unlock()
			for _, o := range some {
				if !yield(o) {
					return
				}
			}
			if over {
				return
			}
			if len(some) > 0 {
				continue
			}
			select {
			case <-more:
			case <-ctx.Done():
				return
			}
		}
	}
}

// Outcome returns what a task ended in, or its index alone if it has not ended.
func (j *Job) Outcome(index int) (Outcome, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if index < 0 || index >= j.N {
		return Outcome{}, fmt.Errorf("job %v has tasks 0 to %d, and no %d", j.ID, j.N-1, index)
	}
	return j.outcome(index, true), nil
}

// Outcomes returns those of a page of tasks, by index, without their outputs.
func (j *Job) Outcomes(from, most int) []Outcome {
	j.mu.Lock()
	defer j.mu.Unlock()
	var all []Outcome
	for i := max(0, from); i < j.N && len(all) < most; i++ {
		all = append(all, j.outcome(i, false))
	}
	return all
}

// outcome is one for the outside. j.mu is held.
func (j *Job) outcome(i int, whole bool) Outcome {
	in := &j.outcomes[i]
	o := Outcome{Index: i, State: in.state, Exit: int(in.exit), Reason: in.reason, Attempt: in.attempt, Ran: in.ran}
	if in.state == 0 {
		return o
	}
	o.Ended = j.Submitted.Add(in.at)
	if in.host > 0 {
		o.Host = string(j.hosts[in.host-1])
	}
	k := j.outputs[uint32(i)]
	if k == nil {
		return o
	}
	o.StdoutLength, o.StderrLength = k.length[0], k.length[1]
	o.OutputDropped, o.ResultDropped = k.dropped, k.dropped && j.Kind == task.KindFunc
	if whole {
		o.Result, o.Stdout, o.Stderr = k.result, k.text[0], k.text[1]
	}
	return o
}

// told is what else becomes of the job.
func (j *Job) told(e core.Effect) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.cancel.told(e)
}
