package main

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/filchsched/filch/cmd/filch/parallel"
)

const runLong = `Run a command once for each input, as many at a time as there are CPUs.

The syntax is GNU parallel's. Inputs are the values after :::, the lines of the
files after ::::, or else the lines of standard input:

  filch run gzip -9k {} ::: *.log
  find . -name '*.png' | filch run convert {} {.}.jpg
  filch run 'wc -l < {}' :::: list-of-files
  filch run echo {1}-{2} ::: a b ::: 1 2 3

In the command these are replaced; without any of them " {}" is added:

  {}    the input                      {1} {2} {-1}  that of the first, second, last source
  {.}   without its extension          {2.} {1/} …   all forms work with a number
  {/}   without its directory          {#}  the number of the task, from 1
  {//}  its directory                  {%}  its slot: 1 to the number of jobs
  {/.}  without directory and extension

Several ::: or :::: combine each input with each other; :::+ and ::::+ go in
step with the source before. Without a command each input is a command line.

A command runs without a shell if it has no shell syntax in it, else with
"sh -c"; inputs always arrive as they are, whatever characters they have. Output appears
when a command has ended, never mixed with another's.

When something goes wrong:

  filch run --dry-run …              look at the commands first
  filch run --halt now,fail=1 …      give up at the first failure
  filch run --retries 3 --timeout 1m …
  filch run --joblog log …           keep account; once more with --resume to
                                     run only what the log does not have

Ctrl-C starts no more commands and waits for those that run; a second one ends
them. Flags end at the first word of the command. The exit code is the number of
commands that failed, 101 if more than 100, 255 if filch itself failed, and
128 + n if signal n ended the run (141: the reader of the output went away).
With --halt it is that of the task that decided, for =1; see docs/run.md.`

// newRunCmd is the verb run.
func newRunCmd() *cobra.Command {
	var o runOptions
	c := &cobra.Command{
		Use:               "run [flags] [--] command [argument…] [::: value…] [:::: file…]",
		Short:             "Run a command once for each input, in parallel",
		Long:              runLong,
		ValidArgsFunction: completeCommand,
		RunE: func(c *cobra.Command, args []string) error {
			return run(c.Context(), o, args, streams{os.Stdin, os.Stdout, os.Stderr})
		},
	}
	o.register(c)
	completeRunFlags(c)
	return c
}

// streams are the standard streams of a run.
type streams struct{ in, out, err *os.File }

// run is the life of a run: read the command line, open the inputs, and feed their
// rows to commands or, with --dry-run, to the printer.
func run(ctx context.Context, o runOptions, args []string, std streams) error {
	plan, err := o.plan()
	if err != nil {
		return err
	}
	command, sources := o.split(args)
	jobs, err := o.concurrency(usableCPUs(), std.err)
	if err != nil {
		return err
	}
	template, err := parallel.ParseTemplate(command, parallel.Style{Quote: o.quote})
	if err != nil {
		return err
	}
	if o.resume && template.UsesSlot() {
		return errors.New("--resume: {%} makes the command of an input another each time, so that none can be recognised: leave out one of them")
	}
	if !o.quiet {
		hintIfTerminal(sources, std)
	}
	rows, err := parallel.OpenRows(sources, parallel.Options{
		Stdin: std.in, Null: o.null, SkipBlank: o.skipBlank, MaxArgs: o.maxArgs, NoArgs: o.maxArgs == 0,
	})
	if err != nil {
		return err
	}
	defer rows.Close()
	s := newStopper(ctx)
	notices := io.Writer(std.err)
	if o.quiet {
		notices = io.Discard
	}
	s.onSignals(notices)
	if o.dryRun {
		err = dryRun(s.feed, template, rows, o, jobs, s.untilAbandoned(std.out, std.out))
	} else {
		err = execute(&execution{plan: plan, given: command, template: template, rows: rows, jobs: jobs, stopper: s}, std)
	}
	return s.outcome(err)
}

// hintIfTerminal tells somebody who forgot the inputs what is being waited for.
func hintIfTerminal(sources []parallel.Source, std streams) {
	if len(sources) > 0 || !isTerminal(std.in) {
		return
	}
	io.WriteString(std.err, "filch: reading inputs from the terminal, one per line; end with Ctrl-D (or give inputs after :::)\n")
}

// isTerminal reports whether f looks like a terminal: a character device that is not the
// null device.
func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, null)
}
