package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/filchsched/filch/cmd/filch/parallel"
	"github.com/filchsched/filch/node"
	"github.com/filchsched/filch/node/control"
)

const submitLong = `Leave a job with the local node and return at once. The node is its home: it
runs the commands on its own cores and lets other nodes take them, and remembers how
each ended. It keeps that in memory, and the job ends with the node.

Without ::: the words are one command, run as they are. With ::: or ::::, or an
--arg-file, there is a command for each input, with filch run's syntax (see filch help run).

The commands run in this directory with this environment. Another node runs them only if
it accepts commands (filch up --accept exec) and proves that it has the same directory; with
--anywhere it need not, and they run in an empty scratch directory with the variables
that --env names.

What is printed is the job's ID, for filch jobs, wait, cancel and explain. A task is
JOB/INDEX, counted from 0.`

// submitOptions are the flags of submit.
type submitOptions struct {
	local    localNode
	argFiles []string
	null     bool
	maxArgs  int

	name, timeout, mem, workdir string
	nice, retries, cores        int
	maxRunning                  int
	require, on, avoid, env     []string
	anywhere, here, idempotent  bool
	keep                        bool
}

// newSubmitCmd is `filch submit`.
func newSubmitCmd() *cobra.Command {
	var o submitOptions
	c := &cobra.Command{
		Use:   "submit [flags] [--] command [argument…] [::: value…] [:::: file…]",
		Short: "Leave a job of commands with the local node",
		Long:  submitLong,
		Example: `  job=$(filch submit --name thumbs -- convert {} {.}.jpg ::: *.png)
  filch wait $job && filch jobs $job
  filch submit --anywhere --env SEED=1 --require gpu=a100 -- ./simulate`,
		ValidArgsFunction: completeCommand,
		RunE: func(c *cobra.Command, args []string) error {
			return o.submit(contextOf(c), c, args)
		},
	}
	o.register(c)
	return c
}

func (o *submitOptions) register(c *cobra.Command) {
	f := c.Flags()
	f.SetInterspersed(false)
	f.SortFlags = false
	f.StringVar(&o.name, "name", "", "`NAME` of the job, for people")
	f.IntVar(&o.nice, "nice", 0, "weight `N` of the job among this node's, -20 to 19")
	f.IntVar(&o.retries, "retries", 1, "try a command up to `N` times until it succeeds, 256 at most")
	f.StringVar(&o.timeout, "timeout", "", "end a command after `TIME`: 10, 1m30s, 2h")
	f.IntVar(&o.cores, "cores", 1, "cores that each command holds")
	f.StringVar(&o.mem, "mem", "", "memory that each command needs, such as `500M`")
	f.StringVar(&o.workdir, "workdir", "", "run the commands in `DIR`")
	f.BoolVar(&o.anywhere, "anywhere", false, "in a scratch directory, on whatever node accepts commands")
	f.StringArrayVar(&o.env, "env", nil, "with --anywhere: set `NAME=VALUE`, or pass NAME on; may be repeated")
	f.StringArrayVar(&o.require, "require", nil, "only on nodes with the label `KEY=VALUE`; may be repeated")
	f.StringArrayVar(&o.on, "on", nil, "only on `NODE`, by name or ID; may be repeated")
	f.StringArrayVar(&o.avoid, "avoid", nil, "not on `NODE`; may be repeated")
	f.BoolVar(&o.here, "local", false, "only on the local node")
	f.IntVar(&o.maxRunning, "max-running", 0, "run at most `N` commands at a time, everywhere together")
	f.BoolVar(&o.idempotent, "idempotent", false, "a second copy of a command does no harm")
	f.BoolVar(&o.keep, "keep", false, "a node that is cut off goes on with what it runs")
	f.StringArrayVarP(&o.argFiles, "arg-file", "a", nil, "read inputs from `FILE`, as :::: does; - is standard input; may be repeated")
	f.BoolVarP(&o.null, "null", "0", false, "inputs end with NUL, not newline (find -print0)")
	f.IntVarP(&o.maxArgs, "max-args", "n", 1, "give `N` inputs to each command, as many as fit")
	o.local.register(c)
	if err := c.MarkFlagDirname("workdir"); err != nil {
		panic(err) // a bug: there is no such flag
	}
	c.MarkFlagsMutuallyExclusive("anywhere", "workdir")
	for _, name := range []string{"name", "nice", "retries", "cores", "env", "require", "max-running", "max-args", "timeout"} {
		if err := c.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions); err != nil {
			panic(err)
		}
	}
	for _, name := range []string{"on", "avoid"} {
		if err := c.RegisterFlagCompletionFunc(name, o.local.completeNodes); err != nil {
			panic(err)
		}
	}
	if err := c.RegisterFlagCompletionFunc("mem", cobra.FixedCompletions([]string{"500M", "1G", "2G", "4G"}, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err)
	}
	c.SetFlagErrorFunc(explainFlagError)
}

// submit reads the command line, leaves the job with the node and prints its ID.
func (o *submitOptions) submit(ctx context.Context, c *cobra.Command, args []string) error {
	s, err := o.submission(args, os.LookupEnv, os.Environ())
	if err != nil {
		return err
	}
	if s.Commands, err = o.commands(args, c.InOrStdin()); err != nil {
		return err
	}
	client, err := o.local.find(ctx)
	if err != nil {
		return err
	}
	j, err := client.Submit(ctx, s)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(c.OutOrStdout(), j.ID)
	return err
}

// submission is what the flags say of all commands.
func (o *submitOptions) submission(args []string, lookup func(string) (string, bool), environ []string) (s control.Submission, err error) {
	switch {
	case o.retries < 1 || o.retries > 256:
		return s, fmt.Errorf("--retries: %d is not between 1 and 256", o.retries)
	case o.cores < 1:
		return s, fmt.Errorf("--cores: a command needs at least one core, not %d", o.cores)
	case o.maxRunning < 0:
		return s, fmt.Errorf("--max-running: %d is less than nothing", o.maxRunning)
	case checkNice(o.nice) != nil:
		return s, checkNice(o.nice)
	case len(o.env) > 0 && !o.anywhere:
		return s, errors.New("--env is for --anywhere; otherwise commands have all of this environment")
	}
	s = control.Submission{
		Name: o.name, Nice: o.nice, Retries: o.retries - 1, Cores: o.cores, MaxRunning: o.maxRunning,
		Require: o.require, On: o.on, Avoid: o.avoid, Local: o.here, Anywhere: o.anywhere, Idempotent: o.idempotent, Keep: o.keep,
	}
	if o.mem != "" {
		if s.MemoryBytes, err = parseBytes(o.mem); err != nil {
			return s, fmt.Errorf("--mem: %w", err)
		}
	}
	if o.timeout != "" {
		t, err := parallel.ParseDuration(o.timeout)
		if err != nil {
			return s, fmt.Errorf("--timeout: %w", err)
		}
		s.TimeoutSeconds = t.Seconds()
	}
	if o.anywhere {
		s.Env, err = declared(o.env, lookup)
		return s, err
	}
	s.Env = environ
	s.Umask = umask()
	dir := o.workdir
	if dir != "" {
		if dir, err = workingDir(dir); err != nil {
			return s, fmt.Errorf("--workdir: %w", err)
		}
	}
	s.Dir, err = filepath.Abs(dir)
	return s, err
}

// declared are the variables that --env names, those without a value with ours.
func declared(names []string, lookup func(string) (string, bool)) (env []string, err error) {
	for _, n := range names {
		if !strings.Contains(n, "=") {
			v, ok := lookup(n)
			if !ok {
				return nil, fmt.Errorf("--env: there is no variable %s to pass on; give it a value: %[1]s=VALUE", n)
			}
			n += "=" + v
		}
		env = append(env, n)
	}
	return env, nil
}

// commands are the job's tasks: one as it stands, or one for each input.
func (o *submitOptions) commands(args []string, stdin io.Reader) (all []control.Command, err error) {
	run := runOptions{argFiles: o.argFiles}
	words, sources := run.split(args)
	switch {
	case len(sources) == 0 && len(words) == 0:
		return nil, errors.New("submit: give a command (see filch submit --help)")
	case len(sources) == 0:
		return []control.Command{{Argv: words}}, nil
	case o.maxArgs < 1:
		return nil, fmt.Errorf("--max-args: %d is less than one", o.maxArgs)
	}
	t, err := parallel.ParseTemplate(words, parallel.Style{})
	if err != nil {
		return nil, err
	}
	if t.UsesSlot() {
		return nil, errors.New("submit: there are no slots that {%} could be the number of")
	}
	rows, err := parallel.OpenRows(sources, parallel.Options{Stdin: stdin, Null: o.null, MaxArgs: o.maxArgs})
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for {
		row, err := rows.Next()
		switch {
		case err == io.EOF && len(all) == 0:
			return nil, errors.New("submit: there are no inputs, so that there is nothing to run")
		case err == io.EOF:
			return all, nil
		case err != nil:
			return nil, err
		case len(all) == node.MaxTasks:
			return nil, fmt.Errorf("submit: there are more than %d inputs: submit them as several jobs", node.MaxTasks)
		}
		all = append(all, control.Command{Argv: t.Words(row), Line: t.Line(row)})
	}
}
