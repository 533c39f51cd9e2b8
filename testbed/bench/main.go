package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

// engineKeys are the contests of the engine, compareKeys those with other tools, both in the order in which they are run.
var (
	engineKeys  = []string{"fib", "submit", "bulk", "uts", "allocs", "child", "map"}
	compareKeys = []string{"start", "tag", "files", "noop", "pinned", "fib", "submit", "uts"}
)

// known tells whether there is a contest of that name.
func known(key string) bool {
	return slices.Contains(engineKeys, key) || slices.Contains(compareKeys, key)
}

// Exit statuses.
const (
	exitFailed = 1 // a result was wrong or a contender could not run
	exitUsage  = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if isChild, err := asChild(ctx, os.Args[1:]); isChild {
		if err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(exitFailed)
		}
		return
	}
	os.Exit(run(ctx, os.Args, os.Stdout, os.Stderr))
}

// asChild does the work of a process that this program started, if it is one.
func asChild(ctx context.Context, args []string) (isChild bool, err error) {
	switch {
	case len(args) == 1 && args[0] == turnVerb:
		return true, turnMain(ctx, os.Stdin, os.Stdout)
	case len(args) == 2 && args[0] == searchVerb:
		return true, searchMain(args[1], os.Stdin, os.Stdout)
	}
	return false, nil
}

// options are settings and what concerns this program alone.
type options struct {
	settings
	only   []string
	output string
	quiet  bool
	docs   string // a text to write the comparison into; "": none
	plot   string // where to draw it
}

func run(ctx context.Context, command []string, stdout, stderr io.Writer) int {
	opts, err := parseOptions(command[1:], stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return exitUsage
	}
	r := report{command: command, machine: readMachine(opts.Workers), versions: versions(), settings: opts.settings}
	progress := func(line string) { fmt.Fprintln(stderr, line) }
	if opts.quiet {
		progress = func(string) {}
	}
	cleanup, err := r.prepare(ctx, opts)
	defer cleanup()
	if err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return exitFailed
	}
	opts.settings = r.settings
	stolen, all := stolenCPU()
	failure := r.playAll(ctx, opts, progress)
	if stolenAfter, allAfter := stolenCPU(); allAfter > all {
		r.stolen = float64(stolenAfter-stolen) / float64(allAfter-all)
	}
	if err := r.write(opts.output, stdout); err != nil {
		failure = errors.Join(failure, err)
	}
	if failure == nil { // what is wrong somewhere is not for the documents
		failure = r.publish(opts)
	}
	if failure != nil {
		fmt.Fprintln(stderr, "bench:", failure)
		return exitFailed
	}
	return 0
}

// prepare builds and finds what contests need that run programs. cleanup is never nil.
func (r *report) prepare(ctx context.Context, opts options) (cleanup func(), err error) {
	cleanup = func() {}
	if !slices.ContainsFunc(opts.only, func(key string) bool { return !slices.Contains(engineKeys, key) }) {
		return cleanup, nil
	}
	dir, err := os.MkdirTemp("", "filch-bench-")
	if err != nil {
		return cleanup, err
	}
	cleanup = func() { os.RemoveAll(dir) }
	if r.settings.Tools, err = findTools(ctx, dir); err != nil {
		return cleanup, err
	}
	if slices.Contains(opts.only, "files") {
		r.settings.Files, err = listFiles(ctx, opts.Lines, dir)
	}
	return cleanup, err
}

// playAll plays the contests that were asked for; the error joins everything
// that went wrong in them.
func (r *report) playAll(ctx context.Context, opts options, progress func(string)) error {
	var failures []error
	for _, key := range opts.only {
		s, err := playOne(ctx, key, opts.settings, progress)
		if err != nil {
			failures = append(failures, err)
		}
		if s.contest.key != "" {
			r.standings = append(r.standings, s)
		}
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(failures...)
}

// playOne finds out what is needed once and plays a contest, each turn in a
// process of its own.
func playOne(ctx context.Context, key string, set settings, progress func(string)) (s standing, err error) {
	switch key {
	case "fib":
		var cleanup func()
		if set.TBB, cleanup, err = buildTBB(); err != nil {
			return s, err
		}
		defer cleanup()
	case "uts":
		if set.Count, err = countTree(set.Tree); err != nil {
			return s, err
		}
	}
	c, err := makeContest(key, set)
	if err != nil {
		return s, err
	}
	turn := func(ctx context.Context, c contest, con contender, rehearsal bool) (turnResult, error) {
		return turnInChild(ctx, turnOrder{c.key, con.name, set, rehearsal})
	}
	return play(ctx, c, set.Rounds, turn, progress)
}

func makeContest(key string, set settings) (contest, error) {
	switch key {
	case "fib":
		return fibContest(set), nil
	case "submit":
		return submitContest(set), nil
	case "bulk":
		return bulkContest(set), nil
	case "uts":
		return utsContest(set)
	case "allocs":
		return allocsContest(set), nil
	case "child":
		return childContest(set), nil
	case "map":
		return mapContest(set), nil
	case "start":
		return startContest(set), nil
	case "tag":
		return tagContest(set), nil
	case "files":
		return filesContest(set), nil
	case "noop":
		return noopContest(set), nil
	case "pinned":
		return pinnedContest(set), nil
	}
	return contest{}, fmt.Errorf("no contest %q; there are %s", key, strings.Join(append(compareKeys[:5:5], engineKeys...), ", "))
}

func (r report) write(format string, w io.Writer) error {
	switch format {
	case "json":
		return r.writeJSON(w)
	case "bench":
		return r.writeBench(w)
	}
	return r.writeText(w)
}

// Bounds on flags; beyond them a run takes hours or all memory.
const (
	maxFib     = 45
	maxTasks   = 100_000_000
	maxWorkers = 1024
	maxLines   = 1_000_000
)

func parseOptions(args []string, stderr io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	only := flags.String("only", strings.Join(engineKeys, ","), "contests to run, in this order; compare: those with other tools")
	quick := flags.Bool("quick", false, "next to no work, one round: does everything run?")
	flags.StringVar(&o.docs, "docs", "", "write the comparison into this `file`, between its markers")
	flags.StringVar(&o.plot, "plot", "", "draw it into this `file`, as SVG")
	flags.IntVar(&o.Lines, "lines", 1000, "commands of start and tag, and files")
	flags.IntVar(&o.Rounds, "rounds", 7, "measured rounds; one more is run first and dropped")
	flags.IntVar(&o.Workers, "workers", 2, "workers of every pool, threads of oneTBB, and GOMAXPROCS")
	flags.IntVar(&o.Fib, "n", 30, "argument of fib")
	flags.IntVar(&o.Tasks, "tasks", 5_000_000, "tasks of submit and bulk")
	flags.StringVar(&o.Tree, "tree", "T1", "tree of uts: a published one (T1 T2 T3 T4 T5 T1L T2L T3L) or flags, as in \"-t1 -a3 -d10 -b4 -r19\"")
	flags.DurationVar(&o.Limit, "limit", 5*time.Minute, "time for one contender's turn in one round, a guard against hanging")
	flags.StringVar(&o.output, "output", "text", "text, json (every round), or bench (for benchstat)")
	flags.BoolVar(&o.quiet, "quiet", false, "no progress on standard error")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	o.only = strings.Split(*only, ",")
	if *only == "compare" {
		o.only = compareKeys
	}
	if *quick && (o.docs != "" || o.plot != "") {
		return o, errors.New("-quick measures nothing worth keeping: leave out -docs and -plot")
	}
	if *quick {
		o.Rounds, o.Fib, o.Tasks, o.Tree, o.Lines = 1, 15, 200, "-t1 -a3 -d5 -b4 -r19", 40
	}
	if err := o.checkPublish(); err != nil {
		return o, err
	}
	return o, o.validate(flags.Args())
}

func (o options) validate(rest []string) error {
	for _, key := range o.only {
		if !known(key) {
			return fmt.Errorf("-only: no contest %q; there are %s", key, strings.Join(append(compareKeys[:5:5], engineKeys...), ", "))
		}
	}
	switch {
	case len(rest) > 0:
		return fmt.Errorf("unexpected argument %q", rest[0])
	case o.Rounds < 1:
		return fmt.Errorf("-rounds %d: want at least 1", o.Rounds)
	case o.Workers < 1 || o.Workers > maxWorkers:
		return fmt.Errorf("-workers %d: want 1..%d", o.Workers, maxWorkers)
	case o.Fib < 2 || o.Fib > maxFib:
		return fmt.Errorf("-n %d: want 2..%d", o.Fib, maxFib)
	case o.Lines < 1 || o.Lines > maxLines:
		return fmt.Errorf("-lines %d: want 1..%d", o.Lines, maxLines)
	case o.Tasks < 1 || o.Tasks > maxTasks:
		return fmt.Errorf("-tasks %d: want 1..%d", o.Tasks, maxTasks)
	case o.Limit <= 0:
		return fmt.Errorf("-limit %v: want more than nothing", o.Limit)
	case !slices.Contains([]string{"text", "json", "bench"}, o.output):
		return fmt.Errorf("-output %q: want text, json or bench", o.output)
	}
	return nil
}
