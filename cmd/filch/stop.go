package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/filchsched/filch/cmd/filch/parallel"
)

// A signalled is the cause of a run that a signal ended.
type signalled struct{ signal syscall.Signal }

func (s signalled) Error() string { return "ended by signal: " + s.signal.String() }

// A stopper is how a run ends before its inputs do. There are three degrees: finish
// starts no more and lets what runs come to its end; stop ends that, too; abandon
// gives up even what is still to be written. The first cause of each counts. It is safe for
// concurrent use.
type stopper struct {
	write context.Context // ends with abandon
	run   context.Context // ends with stop, or abandon
	feed  context.Context // ends with any of them

	abandon context.CancelCauseFunc
	stop    context.CancelCauseFunc
	finish  context.CancelCauseFunc
}

func newStopper(parent context.Context) *stopper {
	if parent == nil {
		parent = context.Background()
	}
	s := &stopper{}
	s.write, s.abandon = context.WithCancelCause(parent)
	s.run, s.stop = context.WithCancelCause(s.write)
	s.feed, s.finish = context.WithCancelCause(s.run)
	return s
}

// onSignals ends the run when the user or the system wants us to: an interrupt
// finishes it, and a second one abandons it, as any other signal does at once. What is to
// be said of that goes to notices.
//
// A signal that we were started to ignore (nohup, a background job) stays ignored.
// SIGPIPE is caught, because the Go runtime dies of one otherwise, and with
// it the chance to end our commands; the write that caused it fails and
// tells. To ignore it instead would pass the ignoring on to the commands.
func (s *stopper) onSignals(notices io.Writer) {
	wanted := make(chan os.Signal, 2)
	for _, sig := range []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(sig) {
			signal.Notify(wanted, sig)
		}
	}
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	go func() {
		for sig := range wanted {
			cause := signalled{sig.(syscall.Signal)}
			if sig == syscall.SIGINT && s.feed.Err() == nil {
				s.finish(cause)
				// Not here: a terminal that is stopped must not keep the next signal from us.
				go fmt.Fprintln(notices, "filch: interrupted: starting no more commands and waiting for those that run; interrupt again to end them")
				continue
			}
			s.abandon(cause)
		}
	}()
}

// outcome turns how a run ended into the error to report. err is what
// the run itself returned; if the run was stopped, the reason for that is what counts.
func (s *stopper) outcome(err error) error {
	cause := err
	for _, ctx := range []context.Context{s.feed, s.run, s.write} {
		if c := context.Cause(ctx); c != nil {
			cause = c
		}
	}
	var sig signalled
	if errors.As(cause, &sig) {
		return exitCode(128 + int(sig.signal))
	}
	var w *parallel.WriteError
	if errors.As(cause, &w) && errors.Is(w, syscall.EPIPE) {
		return exitCode(128 + int(syscall.SIGPIPE)) // quietly: whoever read has had enough
	}
	return cause
}
