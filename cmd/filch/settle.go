package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/filchsched/filch/exec/proc"
	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/node/command"
	"github.com/filchsched/filch/steal"
	"github.com/filchsched/filch/steal/core"
)

// spreadHome is a spread as its driver sees it.
type spreadHome spread

// Header implements steal.Home.
func (h *spreadHome) Header(core.JobID) ([]byte, error) { return h.header, nil }

// Body implements steal.Home: a command is made when it leaves.
func (h *spreadHome) Body(b []byte, _ core.JobID, index uint64) ([]byte, error) {
	s := (*spread)(h)
	var e errand
	if !s.errands.get(index, func(at *errand) { e = *at }) {
		return b, errors.New("the task has ended")
	}
	c, err := s.body(&e)
	if err != nil {
		return b, err
	}
	n := len(b)
	if b, err = c.Append(b); err == nil {
		s.errands.get(index, func(at *errand) { at.sent, at.limit = int64(len(b)-n), c.Timeout })
	}
	return b, err
}

// body is an errand as it travels.
func (s *spread) body(e *errand) (*command.Body, error) {
	c, err := s.command(e.row, e.line)
	if err != nil {
		return nil, err
	}
	b := &command.Body{Argv: c.Argv, Line: c.Shell, Seq: e.row.Seq, Attempt: uint32(e.tries + 1), Timeout: s.times.limit()}
	if len(b.Argv) > 0 && s.shell.name == "" {
		b.Line = e.line // the words are made of it, for which the other machine's shell may have other ideas
	}
	return b, nil
}

// Committed implements steal.Home.
func (h *spreadHome) Committed(c core.Commit, outputs []steal.Output) {
	h.outcome.put(outcome{c, outputs})
}

// Told implements steal.Home.
func (h *spreadHome) Told(e core.Effect) {
	switch e := e.(type) {
	case core.Declined:
		h.link.Declined(e.Piece)
	case core.Stopped, core.Unconfirmed:
		select {
		case h.told <- e:
		default:
		}
	}
}

// An outcome is a commit that has not been told to the world yet.
type outcome struct {
	core.Commit
	outputs []steal.Output
}

// outcomes wait between the driver, which must not wait, and the sequencer, which may have to:
// they are as many as errands at most.
type outcomes struct {
	mu     sync.Mutex
	some   sync.Cond
	queue  []outcome
	closed bool
}

func (q *outcomes) init() { q.some.L = &q.mu }

func (q *outcomes) put(o outcome) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		o.drop()
		return
	}
	q.queue = append(q.queue, o)
	q.some.Signal()
}

// take returns what has come, in order; false after close.
func (q *outcomes) take() ([]outcome, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.queue) == 0 && !q.closed {
		q.some.Wait()
	}
	all := q.queue
	q.queue = nil
	return all, !q.closed
}

func (q *outcomes) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.some.Signal()
}

func (o *outcome) drop() {
	for _, out := range o.outputs {
		out.Data.Close()
	}
}

// settleAll tells the world of every outcome, one by one.
func (s *spread) settleAll() {
	defer close(s.settled)
	for {
		all, more := s.outcome.take()
		for k := range all {
			s.settle(&all[k])
		}
		if !more {
			return
		}
	}
}

func (s *spread) settle(o *outcome) {
	for i := o.Piece.Lo; i < o.Piece.Hi; i++ {
		e := s.errands.take(i)
		if e == nil {
			continue
		}
		if o.State == task.Cancelled || s.write.Err() != nil {
			s.pass(e.row)
		} else if err := s.settleOne(o, i, e); err != nil {
			s.stop(err)
		}
		s.errands.forget(i)
	}
	o.drop()
}

// settleOne commits one errand.
func (s *spread) settleOne(o *outcome, index uint64, e *errand) error {
	f := finished{row: e.row, line: e.line, attempts: 1, host: s.names.of(o.Host, s)}
	r, err := o.result(index)
	if err != nil {
		r = command.Result{State: task.Failed, Exit: proc.ExitFilchFailed, Reason: fmt.Sprintf("task %d: %v", e.row.Seq, err), Start: time.Now()}
	}
	f.result = proc.Result{
		Outcome: task.Outcome{State: r.State, Exit: r.Exit, Signal: r.Signal, Wall: r.Wall, Usage: r.Usage},
		Start:   r.Start,
	}
	f.detail, f.late = r.Detail, r.Detail == command.Timeout
	if r.Reason != "" {
		f.result.Err = errors.New(r.Reason)
	}
	f.stdout, f.stderr = o.stream(index, command.Stdout, r.Stdout), o.stream(index, command.Stderr, r.Stderr)
	if f.host != hereHost {
		f.sent = e.sent
		if f.late {
			f.result.Err = fmt.Errorf("task %d %w: %s", e.row.Seq, timedOut{e.limit}, abbreviated(e.line))
		}
		if !f.late {
			s.times.observe(r.Wall)
		}
	}
	s.status.started()
	s.status.ended(r.State == task.Failed, true)
	if s.plan.output == outputJSON {
		f.attempts = s.attempts(index, r.State)
	}
	return s.commit(f)
}

// failUnmade commits a row that cannot be made a command, and so never is an errand.
func (s *spread) failUnmade(f finished, err error) error {
	f.attempts, f.result = 1, unmade(err)
	s.status.started()
	s.status.ended(true, true)
	return s.commit(f)
}

// attempts is how often a task was tried that has its outcome.
func (s *spread) attempts(index uint64, state task.State) (n int) {
	err := s.driver.Ask(context.Background(), func(c *core.Core) { n = c.Failures(s.job, index) })
	if err != nil || state == task.Done {
		n++
	}
	return max(1, n)
}

// result is what the task ended in, as whoever ran it tells.
func (o *outcome) result(index uint64) (r command.Result, err error) {
	k := index - o.Piece.Lo
	if k >= uint64(len(o.Values)) {
		if o.Reason == "" {
			o.Reason = "its node says nothing about its end"
		}
		return r, errors.New(o.Reason)
	}
	if r, err = command.DecodeResult(o.Values[k]); err != nil || r.Inline {
		return r, err
	}
	for name, want := range map[uint8]int64{command.Stdout: r.OutLen, command.Stderr: r.ErrLen} {
		found := int64(0)
		for _, out := range o.outputs {
			if out.Index == index && out.Name == name {
				found = out.Data.Len()
			}
		}
		if found != want {
			return r, fmt.Errorf("of its output %d of %d bytes arrived", found, want)
		}
	}
	return r, nil
}

// stream is an output of a task, which the caller then owns.
func (o *outcome) stream(index uint64, name uint8, inline []byte) outputStream {
	for k, out := range o.outputs {
		if out.Index == index && out.Name == name {
			o.outputs = append(o.outputs[:k:k], o.outputs[k+1:]...)
			return outputStream{out.Data}
		}
	}
	return outputStream{inlineBlob(inline)}
}

// An outputStream is a long or short output in the form that is printed.
type outputStream struct{ steal.Blob }

// WriteTo implements parallel.Stream.
func (s outputStream) WriteTo(w io.Writer) (int64, error) {
	if b, ok := s.Blob.(inlineBlob); ok {
		if len(b) == 0 {
			return 0, nil
		}
		n, err := w.Write(b)
		return int64(n), err
	}
	return io.Copy(w, s.Reader())
}

type inlineBlob []byte

func (b inlineBlob) Len() int64        { return int64(len(b)) }
func (b inlineBlob) Reader() io.Reader { return strings.NewReader(string(b)) }
func (b inlineBlob) Close() error      { return nil }

// hereHost is this machine in the job log.
const hereHost = ":"

// names are those of nodes, for people.
type names struct {
	mu      sync.Mutex
	cluster *localCluster
	known   map[core.PeerID]string
	asked   time.Time
}

// askEvery bounds how often the node is asked for names.
const askEvery = time.Second

func (n *names) init(c *localCluster) {
	n.cluster, n.known = c, make(map[core.PeerID]string)
	n.learn()
}

func (n *names) learn() {
	for _, m := range n.cluster.members {
		if m.Name != "" {
			n.known[core.PeerID(m.ID)] = m.Name
		}
	}
}

// of is the name of a peer; that of this machine is ":".
func (n *names) of(p core.PeerID, s *spread) string {
	if p == "" || p == s.host || p == core.PeerID(n.cluster.node.ID) {
		return hereHost
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if name := n.known[p]; name != "" {
		return name
	}
	if time.Since(n.asked) > askEvery { // somebody new
		n.asked = time.Now()
		ctx, cancel := context.WithTimeout(context.Background(), askEvery)
		defer cancel()
		if all, err := n.cluster.client.Members(ctx); err == nil {
			n.cluster.members = all
			n.learn()
		}
	}
	if name := n.known[p]; name != "" {
		return name
	}
	return string(p)
}

func (n *names) list(peers []core.PeerID) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	var all []string
	for _, p := range peers {
		name := n.known[p]
		if name == "" {
			name = string(p)
		}
		all = append(all, name)
	}
	return strings.Join(all, ", ")
}
