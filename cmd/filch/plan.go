package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/filchsched/filch/cmd/filch/parallel"
	"github.com/filchsched/filch/exec/task"
)

// A runPlan is what the flags of a run say, read and checked, so that whatever is
// wrong with them is told before anything has run.
type runPlan struct {
	runOptions
	timeout parallel.Timeout
	halt    parallel.HaltRule
	delay   time.Duration
	needs   task.Resources
	dir     string // "" is ours
}

// plan reads the flags.
func (o runOptions) plan() (*runPlan, error) {
	p := &runPlan{runOptions: o}
	for _, f := range []struct {
		name, value string
		parse       func(string) error
	}{
		{"timeout", o.timeout, func(s string) (err error) { p.timeout, err = parallel.ParseTimeout(s); return }},
		{"halt", o.halt, func(s string) (err error) { p.halt, err = parallel.ParseHalt(s); return }},
		{"delay", o.delay, func(s string) (err error) { p.delay, err = parallel.ParseDuration(s); return }},
		{"mem", o.mem, func(s string) (err error) { p.needs.Memory, err = parseBytes(s); return }},
		{"results", o.results, parallel.CheckResults},
		{"workdir", o.workdir, func(s string) (err error) { p.dir, err = workingDir(s); return }},
	} {
		if f.value == "" && !o.given(f.name) {
			continue
		}
		if err := f.parse(f.value); err != nil {
			return nil, fmt.Errorf("--%s: %w", f.name, err)
		}
	}
	if o.given("cores") {
		p.needs.Cores = o.cores
	}
	return p, p.contradictions()
}

// checkNice refuses what the kernel would take for the nearest nice value that there is.
func checkNice(n int) error {
	if n < -20 || n > 19 {
		return fmt.Errorf("--nice: %d is not between -20 and 19", n)
	}
	return nil
}

// contradictions refuses flags that cannot be had together, or not yet.
func (p *runPlan) contradictions() error {
	for _, name := range impliedFlags {
		if p.given(name) && p.flags.Lookup(name).Value.String() == "false" {
			return fmt.Errorf("--%s=false: it is always so, unless --ungroup or --line-buffer say otherwise", name)
		}
	}
	if err := p.spreadOptions.check(p.given); err != nil {
		return err
	}
	live := p.lineBuffer || p.ungroup
	switch {
	case p.maxArgs < 0:
		return fmt.Errorf("--max-args: %d is less than nothing", p.maxArgs)
	case p.retries < 0:
		return fmt.Errorf("--retries: %d is less than nothing: give how often a command is tried, or 0 for until it succeeds", p.retries)
	case p.given("cores") && p.cores < 1:
		return fmt.Errorf("--cores: a command needs at least one core, not %d", p.cores)
	case checkNice(p.nice) != nil:
		return checkNice(p.nice)
	case p.resume && p.joblog == "":
		return errors.New("--resume needs --joblog: that is where it reads what has been done")
	case p.output == outputJSON && (live || p.tag || p.results != ""):
		return errors.New("--output json tells inputs and output of each task in its record: leave out --tag, --line-buffer, --ungroup and --results")
	case live && (p.keepOrder || p.results != ""):
		return errors.New("--line-buffer and --ungroup print at once: leave out --keep-order and --results")
	case p.results != "" && p.maxArgs == 0:
		return errors.New("--results names directories after inputs, of which -n 0 leaves none: all tasks would save to the same place")
	case p.lineBuffer && p.ungroup:
		return errors.New("--line-buffer and --ungroup: give one of them")
	}
	return nil
}

// wantsTotal reports whether it matters how many inputs there are before all have run.
func (p *runPlan) wantsTotal() bool { return p.bar || p.eta || p.halt.Percent > 0 }

// workingDir checks --workdir.
func workingDir(dir string) (string, error) {
	if dir == "..." {
		return "", errors.New("a temporary directory (...) is not supported yet")
	}
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s is not a directory", dir)
	}
	return dir, err
}

// byteUnits are what a size may be followed by: as in dd and systemd, powers of 1024.
const byteUnits = "KMGTPE"

// parseBytes reads the argument of --mem: bytes, or a number with K, M, G, T (of 1024).
func parseBytes(s string) (int64, error) {
	number := strings.TrimSuffix(strings.TrimSuffix(strings.ToUpper(s), "B"), "I")
	factor := 1.0
	if n := len(number); n > 0 {
		if i := strings.IndexByte(byteUnits, number[n-1]); i >= 0 {
			number = number[:n-1]
			factor = float64(int64(1) << (10 * (i + 1)))
		}
	}
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || !(n*factor >= 1) || n*factor >= 1<<62 || strings.Trim(number, ".0123456789") != "" {
		return 0, fmt.Errorf("%q is not an amount of memory: give bytes, or a number with K, M, G or T, such as 500M", s)
	}
	return int64(n * factor), nil
}
