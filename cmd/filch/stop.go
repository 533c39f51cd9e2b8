package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"

	"github.com/filchsched/filch/cmd/filch/parallel"
)

// A signalled is the cause of a run that a signal ended.
type signalled struct{ signal syscall.Signal }

func (s signalled) Error() string { return "ended by signal: " + s.signal.String() }

// stopOnSignals returns a context that ends with a signalled when the user or the system
// wants us to end, and a function to end it for another reason.
//
// A signal that we were started to ignore (nohup, a background job) stays ignored.
// SIGPIPE is caught, because the Go runtime dies of one otherwise, and with
// it the chance to end our commands; the write that caused it fails and
// tells. To ignore it instead would pass the ignoring on to the commands.
func stopOnSignals(parent context.Context) (context.Context, context.CancelCauseFunc) {
	if parent == nil {
		parent = context.Background()
	}
	ctx, stop := context.WithCancelCause(parent)
	wanted := make(chan os.Signal, 1)
	for _, s := range []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) {
			signal.Notify(wanted, s)
		}
	}
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	go func() {
		s := <-wanted
		stop(signalled{s.(syscall.Signal)})
	}()
	return ctx, stop
}

// outcome turns how a run ended into the error to report. err is what
// the run itself returned; if the run was stopped, the reason for that is what counts.
func outcome(ctx context.Context, err error) error {
	cause := context.Cause(ctx)
	if cause == nil {
		cause = err
	}
	var s signalled
	if errors.As(cause, &s) {
		return exitCode(128 + int(s.signal))
	}
	var w *parallel.WriteError
	if errors.As(cause, &w) && errors.Is(w, syscall.EPIPE) {
		return exitCode(128 + int(syscall.SIGPIPE)) // quietly: whoever read has had enough
	}
	return cause
}
