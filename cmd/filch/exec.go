package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"

	"github.com/spf13/cobra"

	"github.com/filchsched/filch/cmd/filch/parallel"
	"github.com/filchsched/filch/exec/proc"
	"github.com/filchsched/filch/exec/task"
)

const execLong = `Run one command as if it had been started without filch: its standard input,
output and error are filch's own, signals that filch gets are passed on, and
its exit code becomes filch's.

  filch exec make test
  filch exec --timeout 10m ./simulate < input > output
  filch exec sh -c 'cd build && make'

There is no shell unless you ask for one. Flags end at the first word of the command.

The exit code is the command's own, or
  124    its time was up (--timeout)
  125    filch itself failed: a wrong flag, a directory that is not there
  126    the command was found, but cannot be executed
  127    the command was not found
  128+n  signal n ended it`

// execOptions are the flags of exec.
type execOptions struct {
	timeout string
	workdir string
	nice    int
}

// newExecCmd is the verb exec.
func newExecCmd() *cobra.Command {
	var o execOptions
	c := &cobra.Command{
		Use:               "exec [flags] [--] command [argument…]",
		Short:             "Run one command; streams, signals and exit code pass through",
		Long:              execLong,
		ValidArgsFunction: completeCommand,
		RunE: func(c *cobra.Command, args []string) error {
			code, err := o.exec(args, c.Flags().Changed("nice"))
			if err != nil {
				fmt.Fprintf(c.ErrOrStderr(), "filch: %s\n", strings.TrimPrefix(err.Error(), "filch: ")) // package proc's errors are whole lines
			}
			return exitCode(code)
		},
	}
	f := c.Flags()
	f.SetInterspersed(false)
	f.SortFlags = false
	f.StringVar(&o.timeout, "timeout", "", "end the command after `TIME`: 10, 1m30s, 2h")
	f.StringVar(&o.workdir, "workdir", "", "run it in `DIR`")
	f.IntVar(&o.nice, "nice", 0, "its nice value `N`, -20 to 19")
	c.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return failedBefore{explainFlagError(c, err)}
	})
	return c
}

// failedBefore is an error of exec that comes before there is a command: its exit code is 125, so that
// it can be told from the command's own.
type failedBefore struct{ error }

// exec runs the command and returns the exit code. The error is what there is to say.
func (o *execOptions) exec(args []string, niced bool) (int, error) {
	if len(args) == 0 {
		return proc.ExitFilchFailed, errors.New("exec: give a command (see filch exec --help)")
	}
	c := proc.Command{
		Argv: args, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Foreground: true,
		Task: 1, Job: "exec", Attempt: task.Attempt{N: 1},
	}
	ctx, cancel, err := o.apply(&c, niced)
	if err != nil {
		return proc.ExitFilchFailed, err
	}
	defer cancel()
	signals, end := catchSignals()
	defer end()
	c.Signals = signals
	runner, err := proc.New(proc.Config{})
	if err != nil {
		return proc.ExitFilchFailed, err
	}
	code, err := codeOf(runner.Run(ctx, c))
	return code, errors.Join(err, runner.Close()) // ends what the command left behind
}

// catchSignals returns those signals that are for the command. It comes before the start: none may
// get lost in between.
func catchSignals() (forIt <-chan os.Signal, end func()) {
	caught, passed := make(chan os.Signal, 16), make(chan os.Signal)
	for _, s := range passedOn {
		if !signal.Ignored(s) { // what we were started to ignore the command ignores, too
			signal.Notify(caught, s)
		}
	}
	go forCommand(caught, passed) // until we end
	return passed, func() { signal.Stop(caught) }
}

// apply does what the flags say, and returns a context that ends when the time is up.
func (o *execOptions) apply(c *proc.Command, niced bool) (context.Context, context.CancelFunc, error) {
	var err error
	if o.workdir != "" {
		if c.Dir, err = workingDir(o.workdir); err != nil {
			return nil, nil, fmt.Errorf("--workdir: %w", err)
		}
	}
	if niced {
		if err := checkNice(o.nice); err != nil {
			return nil, nil, err
		}
		if err := setNice(o.nice); err != nil {
			return nil, nil, fmt.Errorf("--nice: %w", err)
		}
	}
	if o.timeout == "" {
		return context.Background(), func() {}, nil
	}
	t, err := parallel.ParseTimeout(o.timeout)
	if err == nil && t.Percent != 0 {
		err = fmt.Errorf("%q: there is no median of one command", o.timeout)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("--timeout: %w", err)
	}
	ctx, cancel := context.WithTimeoutCause(context.Background(), t.Fixed, timedOut{t.Fixed})
	return ctx, cancel, nil
}

// codeOf is the exit code for what the command ended in, and what there is to say about that.
func codeOf(res proc.Result) (int, error) {
	var ran *proc.ExitError
	var late timedOut
	switch {
	case errors.As(res.Err, &late):
		return exitTimedOut, fmt.Errorf("exec: %w", late)
	case res.Signal != 0:
		return 128 + res.Signal, nil
	case res.Err == nil || errors.As(res.Err, &ran) && !errors.As(res.Err, new(*proc.Failure)):
		return res.Exit, nil
	}
	return res.Exit, errors.New("exec: " + strings.TrimPrefix(res.Err.Error(), "filch: "))
}
