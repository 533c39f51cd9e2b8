package steal

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/steal/core"
	"github.com/filchsched/filch/steal/wire"
)

// A waitingRun is a run whose bodies are not here yet.
type waitingRun struct {
	core.Run
	from  core.PeerID // who granted it, or is asked instead
	tries int
}

// startRun hands a piece to the executor, as soon as it is known what its tasks are.
func (l *loop) startRun(e core.Run) {
	if l.config.Executor == nil {
		l.cannot(e.Piece, "this process runs no tasks")
		return
	}
	if !l.config.Executor.Wants(e.Piece.Job) {
		l.hand(Run{Run: e})
		return
	}
	if e.Piece.Job.Home == l.config.Core.ID {
		l.startOwn(e)
		return
	}
	w := &waitingRun{Run: e, from: l.originOf(e.Piece)}
	if !l.tryStart(w) {
		l.waiting = append(l.waiting, w)
	}
}

// startOwn describes a task of our own to an executor that wants that.
func (l *loop) startOwn(e core.Run) {
	header, err := l.ownHeader(e.Piece.Job)
	r := Run{Run: e, Header: header}
	for i := e.Piece.Lo; i < e.Piece.Hi && err == nil; i++ {
		var b []byte
		if b, err = l.config.Home.Body(nil, e.Piece.Job, i); err == nil {
			r.Bodies = append(r.Bodies, b)
		}
	}
	if err != nil {
		l.cannot(e.Piece, err.Error())
		return
	}
	l.hand(r)
}

// tryStart starts a run whose bodies have come, and else asks for those that have not.
func (l *loop) tryStart(w *waitingRun) bool {
	k := bodyKey{w.from, w.Piece.Job}
	header, data, missing, noHeader := l.bodies.get(k, w.Piece.Span)
	if missing.Len() > 0 || noHeader {
		if missing.Len() == 0 {
			missing = core.Span{Lo: w.Piece.Lo, Hi: w.Piece.Lo + 1}
		}
		l.fetch(w.from, w.Piece.Job, missing, noHeader)
		return false
	}
	l.hand(Run{Run: w.Run, Header: header, Bodies: data})
	return true
}

// hand gives a run to the executor.
func (l *loop) hand(r Run) {
	l.begun(&r.Run)
	l.config.Executor.Start(r, func(x End) {
		if !l.mail.put(mail{do: func(l *loop) { l.ended(x) }}) {
			closeAll(x.Outputs)
		}
	})
}

func (l *loop) halt(p core.Piece) {
	for k, w := range l.waiting {
		if w.Piece == p {
			l.waiting = slices.Delete(l.waiting, k, k+1)
			l.soon = append(l.soon, core.Finished{Piece: p, State: task.Cancelled})
			return
		}
	}
	if l.config.Executor != nil {
		l.config.Executor.Halt(p)
	}
}

// cannot ends a run that never started for want of its description: another peer may have more luck. It comes
// after the effects of the present step.
func (l *loop) cannot(p core.Piece, why string) {
	l.counts.unbodied.Add(1)
	l.soon = append(l.soon, core.Finished{Piece: p, State: task.Failed, Exit: 127, Smell: true, Reason: why})
}

// ended tells the core of the end of a run.
func (l *loop) ended(x End) {
	p := x.Piece
	l.usual = x.Ran / time.Duration(max(1, p.Len()))
	if x.ByHome {
		closeAll(x.Outputs)
		l.leave(p)
		l.step(core.RanByHome{Piece: p, Ran: x.Ran})
		return
	}
	if x.State == task.Cancelled {
		closeAll(x.Outputs)
		x.Values, x.Exceptions = nil, nil
	} else {
		x.Outputs = append(x.Outputs, longValues(&x.Finished)...)
		for _, o := range x.Outputs {
			l.outputs.put(outputKey{p.Job, o.Index, p.Attempt}, o)
		}
	}
	if p.Job.Home != l.config.Core.ID {
		l.leave(p)
	}
	l.step(x.Finished)
	if p.Job.Home == l.config.Core.ID {
		l.outputs.settle(p) // what nobody has committed
	}
}

// longValues takes values out that are too long for a report.
func longValues(f *core.Finished) (long []Output) {
	sum := 0
	for _, v := range f.Values {
		sum += len(v)
	}
	if sum <= maxValues {
		return nil
	}
	values := make([][]byte, len(f.Values))
	for k, v := range f.Values {
		if len(v) <= maxValues/max(1, len(values)) {
			values[k] = v
			continue
		}
		long = append(long, Output{Index: f.Piece.Lo + uint64(k), Name: wire.NameValue, Data: memory(v)})
	}
	f.Values = values
	return long
}

// A memory is a blob that is in memory.
type memory []byte

func (m memory) Len() int64        { return int64(len(m)) }
func (m memory) Reader() io.Reader { return bytes.NewReader(m) }
func (memory) Close() error        { return nil }

func closeAll(outputs []Output) {
	for _, o := range outputs {
		o.Data.Close()
	}
}

// commit gives an outcome to home, with what is long of it.
func (l *loop) commit(e core.Commit) {
	var outputs []Output
	if l.outputs.any() {
		for i := e.Piece.Lo; i < e.Piece.Hi; i++ {
			outputs = append(outputs, l.outputs.take(outputKey{e.Piece.Job, i, e.Piece.Attempt})...)
		}
	}
	outputs = slices.DeleteFunc(outputs, func(o Output) bool {
		if o.Name != wire.NameValue {
			return false
		}
		v, err := io.ReadAll(o.Data.Reader())
		o.Data.Close()
		if err != nil {
			l.config.Logger.Error("a result is lost on its last way", "job", e.Piece.Job, "task", o.Index, "err", err)
			e.State, e.Reason = task.Failed, fmt.Sprint("its result cannot be read: ", err)
			return true
		}
		for len(e.Values) < int(e.Piece.Len()) {
			e.Values = append(e.Values, nil)
		}
		e.Values = slices.Clone(e.Values)
		e.Values[o.Index-e.Piece.Lo] = v
		return true
	})
	l.config.Home.Committed(e, outputs)
}

// recorded forgets what a grantor has. It may have recorded another end than the outcome, as that the piece
// went up to its home; then the outputs wait for the home to record it.
func (l *loop) recorded(pieces []core.Piece) {
	any := l.outputs.any()
	for _, p := range pieces {
		if any {
			l.forgetOutputs(p)
		}
		l.leave(p)
	}
}

// forgetOutputs drops the outputs of what is not held any more.
func (l *loop) forgetOutputs(p core.Piece) {
	held := l.core.HeldOf(p)
	slices.SortFunc(held, func(a, b core.Span) int { return cmp.Compare(a.Lo, b.Lo) })
	at := p.Lo
	for _, s := range append(held, core.Span{Lo: p.Hi, Hi: p.Hi}) {
		if at < s.Lo {
			l.outputs.drop(core.Piece{Job: p.Job, Span: core.Span{Lo: at, Hi: s.Lo}, Attempt: p.Attempt})
		}
		at = max(at, s.Hi)
	}
}
