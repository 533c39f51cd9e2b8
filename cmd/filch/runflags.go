package main

import (
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/filchsched/filch/cmd/filch/parallel"
)

// runOptions are the flags of run.
type runOptions struct {
	jobs      string
	keepOrder bool
	tag       bool
	dryRun    bool
	null      bool
	skipBlank bool
	argFiles  []string
	maxArgs   int
	quote     bool

	lineBuffer bool
	ungroup    bool
	output     outputFormat
	results    string
	joblog     string
	resume     bool
	bar        bool
	eta        bool
	quiet      bool

	timeout string
	retries int
	halt    string
	delay   string
	workdir string
	jobName string
	nice    int
	cores   int
	mem     string

	spreadOptions

	flags *pflag.FlagSet // that they were read from; nil in tests
}

// given reports whether a flag was on the command line.
func (o *runOptions) given(name string) bool { return o.flags != nil && o.flags.Changed(name) }

// register adds the flags to c, under parallel's names.
func (o *runOptions) register(c *cobra.Command) {
	f := c.Flags()
	f.SetInterspersed(false)
	f.SortFlags = false
	f.SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		if canonical, ok := flagAliases[name]; ok {
			name = canonical
		}
		return pflag.NormalizedName(name)
	})
	o.flags = f
	o.registerInputs(f)
	o.registerRunning(f)
	o.registerOutput(c, f)
	o.spreadOptions.register(c)

	// -P is -j under another letter.
	f.VarP(f.Lookup("jobs").Value, "max-procs", "P", "")
	f.Lookup("max-procs").Hidden = true
	for _, name := range impliedFlags {
		f.BoolP(name, impliedShort[name], true, "")
		f.Lookup(name).Hidden = true
	}
	c.SetFlagErrorFunc(explainRunFlagError)
}

func (o *runOptions) registerInputs(f *pflag.FlagSet) {
	f.StringArrayVarP(&o.argFiles, "arg-file", "a", nil, "read inputs from `FILE`, as :::: does; - is standard input; may be repeated")
	f.BoolVarP(&o.null, "null", "0", false, "inputs end with NUL, not newline (find -print0)")
	f.BoolVarP(&o.skipBlank, "no-run-if-empty", "r", false, "skip inputs that are empty or blank")
	f.IntVarP(&o.maxArgs, "max-args", "n", 1, "give `N` inputs to each command, as many as fit; 0: run once per input without it")
	f.BoolVarP(&o.quote, "quote", "q", false, "take each word of the command as it is: no shell syntax")
}

func (o *runOptions) registerRunning(f *pflag.FlagSet) {
	f.StringVarP(&o.jobs, "jobs", "j", "100%", "commands at a time: `N`, N% of the CPUs, +N more, -N fewer, 0 for as many as possible")
	f.BoolVar(&o.dryRun, "dry-run", false, "print the commands, run nothing")
	f.StringVar(&o.timeout, "timeout", "", "end a command after `TIME`: 10, 1m30s, or 200% of the median so far")
	f.IntVar(&o.retries, "retries", 1, "try a command up to `N` times until it succeeds; 0: as often as it takes")
	f.StringVar(&o.halt, "halt", "", "end early: never, or now|soon,fail|success|done=`N`, or =N%")
	f.StringVar(&o.delay, "delay", "", "wait `TIME` between starts")
	f.StringVar(&o.workdir, "workdir", "", "run the commands in `DIR`")
	f.StringVar(&o.jobName, "job", "run", "`NAME` of the job, for people")
	f.IntVar(&o.nice, "nice", 0, "nice value `N` of the job and of its commands, -20 to 19")
	f.IntVar(&o.cores, "cores", 1, "cores that each command needs: so many fewer run at a time")
	f.StringVar(&o.mem, "mem", "", "memory that each command needs, such as `500M`: as many run at a time as fit")
}

func (o *runOptions) registerOutput(c *cobra.Command, f *pflag.FlagSet) {
	f.BoolVarP(&o.keepOrder, "keep-order", "k", false, "print output in the order of the inputs")
	f.BoolVar(&o.tag, "tag", false, "put the inputs and a TAB before each line of output")
	f.BoolVar(&o.lineBuffer, "line-buffer", false, "print each line as soon as it is complete")
	f.BoolVarP(&o.ungroup, "ungroup", "u", false, "let commands print directly, mixed as it comes")
	o.output.register(c)
	f.Lookup("output").Usage = "text, or json: one record per task, with its output"
	f.StringVar(&o.results, "results", "", "save output below `DIR` instead of printing it")
	f.StringVar(&o.joblog, "joblog", "", "log to `FILE` how each task ended; +FILE adds to it")
	f.BoolVar(&o.resume, "resume", false, "leave out what the job log has, the same command at the same number")
	f.BoolVar(&o.bar, "bar", false, "show a progress bar, if standard error is a terminal")
	f.BoolVar(&o.eta, "eta", false, "show progress and the time left, if standard error is a terminal")
	f.BoolVar(&o.quiet, "quiet", false, "say nothing but errors: no progress, no notices")
}

// flagAliases are parallel's other spellings of the flags we have.
var flagAliases = map[string]string{
	"j": "jobs", "k": "keep-order", "keeporder": "keep-order", "maxprocs": "max-procs",
	"dryrun": "dry-run", "dr": "dry-run", "argfile": "arg-file", "norunifempty": "no-run-if-empty",
	"n": "max-args", "maxargs": "max-args", "u": "ungroup", "q": "quote",
	"linebuffer": "line-buffer", "linebuffered": "line-buffer", "line-buffered": "line-buffer", "lb": "line-buffer",
	"halt-on-error": "halt", "haltonerror": "halt", "wd": "workdir", "work-dir": "workdir", "jl": "joblog",
	"result": "results", "res": "results",
	"willcite": "will-cite", "nn": "will-cite", "nonotice": "will-cite", "no-notice": "will-cite",
}

// impliedFlags ask for what is always so. They are accepted and have no effect.
var (
	impliedFlags = []string{"group", "gnu", "will-cite", "silent"}
	impliedShort = map[string]string{"group": "g"}
)

// split splits args into command and sources. The files of --arg-file come first.
func (o *runOptions) split(args []string) (command []string, sources []parallel.Source) {
	for _, f := range o.argFiles {
		sources = append(sources, parallel.Source{File: f})
	}
	command, given := parallel.SplitArgs(args)
	return command, append(sources, given...)
}

// concurrency is how many commands may run at once on a machine with cpus usable CPUs.
func (o *runOptions) concurrency(cpus int, stderr io.Writer) (int, error) {
	n, err := parallel.ParseJobs(o.jobs, cpus)
	if err != nil {
		return 0, fmt.Errorf("--jobs: %w", err)
	}
	most := mostJobs()
	switch {
	case n == 0:
		n = most
	case n > most:
		fmt.Fprintf(stderr, "filch: --jobs is %d here, not %d: that is the most there is, or that the limit on open files allows (see ulimit -n)\n", most, n)
		n = most
	}
	return n, nil
}

// explainRunFlagError turns what pflag says of a flag of run into something to act on.
func explainRunFlagError(c *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) && notYet(unknown.GetSpecifiedName()) {
		return fmt.Errorf("%s of GNU parallel is not supported yet (see filch run --help for what is)", asGiven(unknown))
	}
	return explainFlagError(c, err)
}

// explainFlagError is the same for any verb.
func explainFlagError(c *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var invalid *pflag.InvalidValueError
	help := fmt.Sprintf("(see %s --help)", c.CommandPath())
	switch {
	case errors.As(err, &invalid):
		cause := invalid.Unwrap()
		var number *strconv.NumError // names a function of Go's
		if errors.As(cause, &number) {
			cause = number.Err
		}
		return fmt.Errorf("--%s: %q is no good: %w %s", invalid.GetFlag().Name, invalid.GetValue(), cause, help)
	case !errors.As(err, &unknown):
		return fmt.Errorf("%w %s", err, help)
	}
	if name := unknown.GetSpecifiedName(); len(name) > 1 {
		if near := nearest(name, knownFlags(c.Flags())); near != "" {
			return fmt.Errorf("unknown flag --%s: did you mean --%s?", name, near)
		}
	}
	return fmt.Errorf("unknown flag %s %s", asGiven(unknown), help)
}

// asGiven is the flag as it stood on the command line.
func asGiven(e *pflag.NotExistError) string {
	if e.GetSpecifiedShortnames() != "" {
		return "-" + e.GetSpecifiedName()
	}
	return "--" + e.GetSpecifiedName()
}

// knownFlags lists the flags that one may have meant.
func knownFlags(f *pflag.FlagSet) []string {
	var names []string
	f.VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	})
	return names
}
