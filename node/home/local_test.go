package home_test

import (
	"bytes"
	"context"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/node/home"
	"github.com/filchsched/filch/steal"
	"github.com/filchsched/filch/steal/core"
)

// local is a driver of one node without peers: a core.Core, and tasks that end when the
// test's function returns.
type local struct {
	t    *testing.T
	home steal.Home
	run  func(job core.JobID, header, body []byte) ([]byte, error)

	over atomic.Bool // the table has ended: what a task is may be gone

	mu    sync.Mutex
	core  *core.Core
	refs  map[uint64]core.JobID
	ref   uint64
	tasks sync.WaitGroup
}

func (l *local) step(e core.Event) {
	for _, f := range l.core.Step(time.Second, e) {
		switch f := f.(type) {
		case core.Run:
			l.tasks.Go(func() { l.execute(f) })
		case core.Submitted:
			l.refs[f.Ref] = f.Job
		case core.Commit:
			var outputs []steal.Output
			for i, v := range f.Values {
				if len(v) > 100 { // as if it were too long for a value
					outputs = append(outputs, steal.Output{Index: f.Piece.Lo + uint64(i), Name: home.Result, Data: blob(v)})
					f.Values[i] = nil
				}
			}
			l.home.Committed(f, outputs)
		case core.CancelAccepted, core.Stopped, core.Unconfirmed, core.JobDone:
			l.home.Told(f)
		}
	}
}

func (l *local) execute(r core.Run) {
	e := core.Finished{Piece: r.Piece, State: task.Done, Ran: time.Millisecond}
	header, err := l.home.Header(r.Piece.Job)
	if err != nil {
		if !l.over.Load() {
			l.t.Error(err)
		}
		return
	}
	for i := r.Piece.Lo; i < r.Piece.Hi; i++ {
		body, err := l.home.Body(nil, r.Piece.Job, i)
		if err != nil {
			if !l.over.Load() {
				l.t.Error(err)
			}
			return
		}
		v, err := l.run(r.Piece.Job, header, body)
		if err != nil {
			e.Exceptions = append(e.Exceptions, core.Exception{Index: i, State: task.Failed, Exit: 1, Reason: err.Error()})
		}
		e.Values = append(e.Values, v)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.step(e)
}

func (l *local) Submit(_ context.Context, t core.Terms, n uint64) (core.JobID, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ref++
	l.step(core.Submit{Ref: l.ref, Terms: t, N: n})
	return l.refs[l.ref], nil
}

func (l *local) Tell(events ...core.Event) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range events {
		l.step(e)
	}
	return nil
}

func (l *local) ExtendBy(job core.JobID, more func() uint64) error {
	return l.Tell(core.Extend{Job: job, N: more()})
}

type blob []byte

func (b blob) Len() int64        { return int64(len(b)) }
func (b blob) Reader() io.Reader { return bytes.NewReader(b) }
func (b blob) Close() error      { return nil }

// newTable starts a table whose tasks run is called for.
func newTable(t *testing.T, run func(job core.JobID, header, body []byte) ([]byte, error)) *home.Table {
	t.Helper()
	table := home.New(nil)
	l := &local{
		t: t, home: table, run: run, refs: make(map[uint64]core.JobID),
		core: core.New(core.Config{ID: "me", Incarnation: 1, Cores: 2, Kinds: []task.Kind{task.KindFunc, task.KindProc}, Check: true}, 0),
	}
	l.step(core.Tick{})
	table.Begin(l)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = table.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
		l.tasks.Wait()
	})
	return table
}
