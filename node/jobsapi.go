package node

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/node/control"
	"github.com/filchsched/filch/node/fit"
	"github.com/filchsched/filch/node/home"
	"github.com/filchsched/filch/steal/core"
)

// Submit implements control.Backend.
func (a api) Submit(ctx context.Context, s control.Submission) (control.Job, error) {
	if err := a.up(); err != nil {
		return control.Job{}, err
	}
	c := CommandJob{
		Common: Common{
			Title: s.Name, Nice: s.Nice, Retries: s.Retries, Cores: s.Cores, Memory: s.MemoryBytes, Idempotent: s.Idempotent,
			Where: Where{Require: s.Require, On: s.On, Avoid: s.Avoid, Local: s.Local, MaxRunning: s.MaxRunning},
		},
		Dir: s.Dir, Anywhere: s.Anywhere, Env: s.Env, Umask: -1, Keep: s.Keep,
	}
	if s.Umask != nil {
		c.Umask = *s.Umask
	}
	if most := float64(1<<31 - 1); s.TimeoutSeconds < 0 || s.TimeoutSeconds > most {
		return control.Job{}, wrong(fmt.Errorf("timeout: %v is not between 0 (none) and %v seconds", s.TimeoutSeconds, most))
	}
	c.Timeout = time.Duration(s.TimeoutSeconds * float64(time.Second))
	for _, one := range s.Commands {
		c.Commands = append(c.Commands, Command{Argv: one.Argv, Line: one.Line})
	}
	j, err := a.node.SubmitCommands(ctx, c)
	if err != nil {
		return control.Job{}, wrong(err)
	}
	return viewJob(j), nil
}

// wrong turns an error of the Go API into one of the control API.
func wrong(err error) error {
	var nobody *fit.Refusal
	switch {
	case errors.As(err, new(*control.Error)):
		return err
	case errors.As(err, &nobody):
		return &control.Error{Status: http.StatusConflict, Message: nobody.Message(), Reason: control.ReasonNobodyFits, Hint: nobody.Hint()}
	case errors.Is(err, home.ErrEnded), errors.Is(err, ErrEnded):
		return &control.Error{Status: http.StatusConflict, Message: err.Error(), Reason: control.ReasonLeaving, Hint: "ask another node"}
	case errors.Is(err, ErrTooMany):
		return &control.Error{Status: http.StatusTooManyRequests, Message: err.Error(), Reason: control.ReasonBusy, Hint: "wait for jobs to end, or submit fewer tasks"}
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return &control.Error{Status: http.StatusServiceUnavailable, Message: "the node did not get to it: " + err.Error(), Reason: control.ReasonBusy, Hint: "ask again in a moment"}
	}
	return &control.Error{Status: http.StatusBadRequest, Message: err.Error(), Reason: control.ReasonBadRequest}
}

// Jobs implements control.Backend.
func (a api) Jobs(context.Context) ([]control.Job, error) {
	all := []control.Job{}
	for _, j := range a.node.Jobs() {
		all = append(all, viewJob(j))
	}
	return all, a.up()
}

// find returns a job of this node by what people call it.
func (a api) find(name string) (*Job, error) {
	if err := a.up(); err != nil {
		return nil, err
	}
	id, _, err := a.node.parseJob(name, false)
	if err != nil {
		return nil, wrong(err)
	}
	if j := a.node.work.table.Job(id); j != nil {
		return j, nil
	}
	e := &control.Error{Status: http.StatusNotFound, Message: "there is no job " + id.String() + " here", Reason: control.ReasonNotFound, Hint: "\"filch jobs\" lists those that are remembered"}
	if id.Home != core.PeerID(a.node.self.identity.ID().String()) {
		e.Message, e.Hint = "job "+id.String()+" is another node's", "ask "+a.node.nameOf(string(id.Home))+", where it was submitted; \"filch explain\" works from here"
	}
	return nil, e
}

// Job implements control.Backend.
func (a api) Job(_ context.Context, name string, from, most int) (control.JobDetail, error) {
	j, err := a.find(name)
	if err != nil {
		return control.JobDetail{}, err
	}
	d := control.JobDetail{Job: viewJob(j), Page: []control.Task{}}
	for _, o := range j.Outcomes(from, most) {
		d.Page = append(d.Page, a.node.viewTask(j, o))
	}
	if next := from + len(d.Page); next < j.N && len(d.Page) > 0 {
		d.Next = next
	}
	return d, nil
}

// Wait implements control.Backend.
func (a api) Wait(ctx context.Context, name string) (control.Job, error) {
	j, err := a.find(name)
	if err != nil {
		return control.Job{}, err
	}
	if err := j.Wait(ctx); errors.Is(err, home.ErrEnded) {
		return control.Job{}, wrong(err)
	}
	return viewJob(j), nil
}

// Cancel implements control.Backend.
func (a api) Cancel(ctx context.Context, name string) (control.Cancelled, error) {
	j, err := a.find(name)
	if err != nil {
		return control.Cancelled{}, err
	}
	// Accepted is waited for in any case: it takes a step.
	if ctx.Err() != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), acceptPatience)
		defer cancel()
	}
	c, err := j.Cancel(ctx)
	if err != nil {
		return control.Cancelled{}, wrong(err)
	}
	v := control.Cancelled{Accepted: c.Accepted, Stopped: c.Stopped, Unknown: c.Unknown, Unconfirmed: []string{}}
	for _, p := range c.Unconfirmed {
		v.Unconfirmed = append(v.Unconfirmed, a.node.nameOf(p))
	}
	return v, nil
}

// acceptPatience is how long a cancel waits to be accepted by a node that is busy.
const acceptPatience = 5 * time.Second

// Output implements control.Backend.
func (a api) Output(_ context.Context, name string, index int) (control.Output, error) {
	j, err := a.find(name)
	if err != nil {
		return control.Output{}, err
	}
	o, err := j.Outcome(index)
	if err != nil {
		return control.Output{}, &control.Error{Status: http.StatusNotFound, Message: err.Error(), Reason: control.ReasonNotFound}
	}
	return control.Output{
		Task: a.node.viewTask(j, o), Stdout: orNoBytes(o.Stdout), Stderr: orNoBytes(o.Stderr), StdoutBytes: o.StdoutLength, StderrBytes: o.StderrLength,
		Result: o.Result, Dropped: o.OutputDropped || int64(len(o.Stdout)) < o.StdoutLength || int64(len(o.Stderr)) < o.StderrLength,
	}, nil
}

func orNoBytes(b []byte) []byte { return append([]byte{}, b...) }

// viewJob is a job as it is told.
func viewJob(j *Job) control.Job {
	c := j.Counts()
	v := control.Job{
		ID: j.ID.String(), Name: j.Title, Runs: j.Name, Kind: string(j.Kind), State: control.JobRunning, Nice: j.Nice,
		Tasks: j.N, Done: c.Done, Failed: c.Failed, Cancelled: c.Cancelled, Submitted: j.Submitted,
	}
	if at := j.Ended(); !at.IsZero() {
		v.Ended, v.State = &at, control.JobDone
	}
	switch {
	case c.Cancelled > 0 || j.Cancellation().Accepted && v.Ended == nil:
		v.State = control.JobCancelled
	case v.Ended != nil && c.Failed > 0:
		v.State = control.JobFailed
	}
	return v
}

func (n *Node) viewTask(j *Job, o TaskOutcome) control.Task {
	v := control.Task{
		ID: fmt.Sprintf("%v/%d", j.ID, o.Index), Index: o.Index, Runs: j.Show(o.Index), State: control.TaskWaiting,
		Reason: o.Reason, HostID: o.Host, Attempt: o.Attempt, RanSeconds: o.Ran.Seconds(),
	}
	if v.Runs == "" {
		v.Runs = j.Name
	}
	if o.State == 0 {
		return v
	}
	v.State = map[task.State]string{task.Done: control.TaskDone, task.Failed: control.TaskFailed, task.Cancelled: control.TaskCancelled}[o.State]
	v.Exit, v.Ended = &o.Exit, &o.Ended
	if o.Host != "" {
		v.Host = n.nameOf(o.Host)
	}
	return v
}

// nameOf is a node's name, or its ID if it has none that is known here, or not alone.
func (n *Node) nameOf(id string) string { return nameAmong(n.Members(), id) }

func nameAmong(all []Member, id string) string {
	i := slices.IndexFunc(all, func(m Member) bool { return m.ID == id })
	if i < 0 || all[i].Name == "" {
		return id
	}
	for k := range all {
		if k != i && all[k].Name == all[i].Name {
			return id
		}
	}
	return all[i].Name
}
