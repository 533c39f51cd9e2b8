package command

import (
	"errors"
	"io"
	"strings"
	"syscall"

	"github.com/filchsched/filch/exec/proc"
	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/steal"
	"github.com/filchsched/filch/steal/core"
)

// endOf is how a piece ended, whose commands had these results. It takes their captures. If one
// was stopped, the piece has no outcome.
func endOf(p core.Piece, results []proc.Result, host string, own bool) steal.End {
	end := steal.End{Finished: core.Finished{Piece: p, State: task.Done}}
	for k := range results {
		r := &results[k]
		if r.State == task.Cancelled || end.State == task.Cancelled {
			end.State = task.Cancelled
			continue
		}
		end.Ran += r.Wall
		index := p.Lo + uint64(k)
		value, outputs := encode(r, host, index)
		end.Values = append(end.Values, value)
		end.Outputs = append(end.Outputs, outputs...)
		if r.State == task.Failed {
			end.Exceptions = append(end.Exceptions, core.Exception{
				Index: index, State: task.Failed, Exit: int32(r.Exit), Smell: !own && smells(r), Reason: told(r),
			})
		}
	}
	if end.State == task.Cancelled || uint64(len(end.Values)) < p.Len() {
		for _, o := range end.Outputs {
			o.Data.Close()
		}
		for k := range results {
			results[k].Stdout.Close()
			results[k].Stderr.Close()
		}
		return steal.End{Finished: core.Finished{Piece: p, State: task.Cancelled, Ran: end.Ran}}
	}
	if p.Len() == 1 && len(end.Exceptions) == 1 {
		x := end.Exceptions[0]
		end.State, end.Exit, end.Smell, end.Reason, end.Exceptions = task.Failed, x.Exit, x.Smell, x.Reason, nil
	}
	return end
}

// encode makes a Result of what a command ended in. What it printed is in there if that is
// little, else in the outputs.
func encode(r *proc.Result, host string, index uint64) ([]byte, []steal.Output) {
	v := Result{
		State: r.State, Exit: r.Exit, Signal: r.Signal, Reason: reason(r), Host: host, Start: r.Start, Wall: r.Wall, Usage: r.Usage,
		OutLen: r.Stdout.Len(), ErrLen: r.Stderr.Len(),
	}
	switch {
	case errors.As(r.Err, new(*proc.TimeoutError)):
		v.Detail = Timeout
	case errors.As(r.Err, new(*proc.MemoryError)):
		v.Detail = OutOfMemory
	}
	if v.OutLen+v.ErrLen <= MaxInline {
		out, err1 := io.ReadAll(r.Stdout.Reader())
		errs, err2 := io.ReadAll(r.Stderr.Reader())
		if err1 == nil && err2 == nil || v.State == task.Failed {
			// Of an output that was lost in part the Result says so already.
			v.Inline, v.Stdout, v.Stderr = true, out, errs
			v.OutLen, v.ErrLen = int64(len(out)), int64(len(errs))
			r.Stdout.Close()
			r.Stderr.Close()
		}
	}
	value, err := v.Append(nil)
	if err != nil { // cannot be: the limits are ours
		v = Result{State: task.Failed, Exit: proc.ExitFilchFailed, Reason: err.Error(), Host: host, Start: r.Start, Inline: true}
		value, _ = v.Append(nil)
	}
	if v.Inline {
		return value, nil
	}
	return value, []steal.Output{
		{Index: index, Name: Stdout, Data: r.Stdout},
		{Index: index, Name: Stderr, Data: r.Stderr},
	}
}

// smells tells whether a failure says more of this machine than of the command.
func smells(r *proc.Result) bool {
	if errors.As(r.Err, new(*proc.StartError)) || errors.As(r.Err, new(*proc.Failure)) {
		return true
	}
	return r.Exit == proc.ExitNotExecutable || r.Exit == proc.ExitNotFound || errors.Is(r.Err, syscall.ENOENT)
}

// told is why a command failed, for its story: a signal speaks in no other place there.
func told(r *proc.Result) string {
	var ran *proc.ExitError
	if why := reason(r); why != "" || !errors.As(r.Err, &ran) || ran.Signal == 0 {
		return why
	}
	return ran.Error()
}

// reason is why a command failed: nothing if it ran, for then it has spoken for itself.
func reason(r *proc.Result) string {
	var ran *proc.ExitError
	if r.Err == nil || errors.As(r.Err, &ran) && !errors.As(r.Err, new(*proc.Failure)) {
		return ""
	}
	return strings.TrimPrefix(r.Err.Error(), "filch: ")
}
