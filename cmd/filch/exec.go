package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/filchsched/filch/cmd/filch/parallel"
	"github.com/filchsched/filch/exec/proc"
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
				fmt.Fprintf(c.ErrOrStderr(), "filch: %v\n", err)
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
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	ctx, cancel, err := o.apply(cmd, niced)
	if err != nil {
		return proc.ExitFilchFailed, err
	}
	defer cancel()
	diesWithUs(cmd)
	passed := make(chan os.Signal, 16)
	for _, s := range passedOn { // before the start: no signal may get lost in between
		if !signal.Ignored(s) { // what we were started to ignore the command ignores, too
			signal.Notify(passed, s)
		}
	}
	defer signal.Stop(passed)
	if err := cmd.Start(); err != nil {
		return startCode(err), fmt.Errorf("exec: cannot start %q: %w", args[0], plainStartError(err))
	}
	var late timedOut
	stopped := stopExec(ctx, cmd)
	go passOn(passed, cmd)
	err = cmd.Wait()
	if stopped() && errors.As(context.Cause(ctx), &late) {
		return exitTimedOut, fmt.Errorf("exec: %w", late)
	}
	return codeOf(cmd, err)
}

// apply does what the flags say, and returns a context that ends when the time is up.
func (o *execOptions) apply(cmd *exec.Cmd, niced bool) (context.Context, context.CancelFunc, error) {
	var err error
	if o.workdir != "" {
		if cmd.Dir, err = workingDir(o.workdir); err != nil {
			return nil, nil, fmt.Errorf("--workdir: %w", err)
		}
	}
	if niced {
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

// codeOf is the exit code for how cmd ended.
func codeOf(cmd *exec.Cmd, err error) (int, error) {
	var res proc.Result
	ended(&res, cmd, err)
	if res.Signal != 0 {
		return 128 + res.Signal, nil
	}
	if complaint(res.Err) != "" {
		return res.Exit, res.Err
	}
	return res.Exit, nil
}

// plainStartError is the cause of err without the operation and the path, which have been said.
func plainStartError(err error) error {
	var pe *os.PathError
	var ee *exec.Error
	switch {
	case errors.As(err, &pe):
		err = pe.Err
	case errors.As(err, &ee):
		err = ee.Err
	}
	if errors.Is(err, exec.ErrNotFound) {
		return errors.New("command not found: install it, or give its path")
	}
	if errors.Is(err, syscall.ENOEXEC) {
		return errors.New("it is neither a program nor does it begin with #!: run it with sh")
	}
	return err
}
