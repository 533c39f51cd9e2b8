package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Whole programs: a command for each line of input, beside the programs that do that. A lap is a process of its own from
// start to end, filch's start and end included.

// The contenders that goals refer to.
const (
	xargsName    = "xargs"
	parallelName = "GNU parallel"
	filchRunName = "filch run"
)

// The goals: 0.9 of xargs's rate, three times parallel's.
const (
	goalXargs    = 0.9
	goalParallel = 3
)

// A check wants what a command printed to be right, for the first n inputs.
type check func(printed []byte, n int) error

// line is a contender that is a command line: argv[0] a program, its input the first lines of a file.
func (set settings) line(name, tool string, argv []string, input func(n int) []byte, n int, ok check) contender {
	program, missing := set.Tools.find(tool)
	shown := strings.Join(quoted(argv), " ")
	return contender{
		name: name, filch: tool == toolFilch, missing: missing, config: shown, elsewhere: true,
		run: func(ctx context.Context, c *clock) error {
			part := n
			if c.verifying {
				part = max(1, n/c.share)
			}
			for c.more() {
				cmd := exec.CommandContext(ctx, program, argv[1:]...)
				cmd.Stdin = bytes.NewReader(input(part))
				var out, errs bytes.Buffer
				cmd.Stdout, cmd.Stderr = &out, &errs
				start := time.Now()
				err := cmd.Run()
				took := time.Since(start)
				if err != nil {
					return fmt.Errorf("%s: %w: %s", shown, err, firstLine(errs.String()))
				}
				if err := ok(out.Bytes(), part); err != nil {
					return err
				}
				c.record(took)
			}
			return nil
		},
	}
}

// quoted is a command line as one would type it.
func quoted(argv []string) []string {
	shown := slices.Clone(argv)
	for i, a := range shown {
		if a == "" || strings.ContainsAny(a, " {}$'\"\\*") {
			shown[i] = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
	}
	return shown
}

// numbers are the lines 1 to n.
func numbers(n int) []byte {
	var b []byte
	for i := range n {
		b = append(strconv.AppendInt(b, int64(i+1), 10), '\n')
	}
	return b
}

// nothing is what true prints.
func nothing(printed []byte, _ int) error {
	if len(printed) > 0 {
		return wrong("true printed %q", clip(printed))
	}
	return nil
}

// tagged wants each number with its tag, in order.
func tagged(printed []byte, n int) error {
	var want []byte
	for i := range n {
		want = fmt.Appendf(want, "%d\t%[1]d\n", i+1)
	}
	if !bytes.Equal(printed, want) {
		return wrong("%d bytes were printed that are not the %d tagged lines in order", len(printed), n)
	}
	return nil
}

// echoed wants each number once, in any order.
func echoed(printed []byte, n int) error {
	if !slices.Equal(sortedLines(printed), sortedLines(numbers(n))) {
		return wrong("not every number was printed once")
	}
	return nil
}

func sortedLines(b []byte) []string {
	lines := strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
	slices.Sort(lines)
	return lines
}

func clip(b []byte) []byte { return b[:min(len(b), 80)] }

func firstLine(s string) string {
	first, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return first
}

// startContest: how fast commands start that do nothing.
func startContest(set settings) contest {
	j := fmt.Sprint("-j", set.Workers)
	return contest{
		key: "start", title: fmt.Sprintf("start `true` for each of %d lines, %d at once", set.Lines, set.Workers), unit: "command", operations: set.Lines,
		contenders: []contender{
			set.line(filchRunName, toolFilch, []string{"filch", "run", j, "true"}, numbers, set.Lines, nothing),
			set.line(xargsName, toolXargs, []string{"xargs", fmt.Sprint("-P", set.Workers), "-n1", "true"}, numbers, set.Lines, nothing),
			set.line(parallelName, toolParallel, []string{"parallel", j, "true"}, numbers, set.Lines, nothing),
		},
		goals: commandGoals,
	}
}

// tagContest: the same with output that is tagged and in the order of the input, which xargs cannot do.
func tagContest(set settings) contest {
	j := fmt.Sprint("-j", set.Workers)
	untagged := set.line(xargsName, toolXargs, []string{"xargs", fmt.Sprint("-P", set.Workers), "-n1", "echo"}, numbers, set.Lines, echoed)
	untagged.aside = true
	return contest{
		key: "tag", title: fmt.Sprintf("`echo` for each of %d lines, %d at once, output tagged and in order", set.Lines, set.Workers), unit: "command", operations: set.Lines,
		contenders: []contender{
			set.line(filchRunName, toolFilch, []string{"filch", "run", j, "-k", "--tag", "echo {}"}, numbers, set.Lines, tagged),
			set.line(parallelName, toolParallel, []string{"parallel", j, "-k", "--tag", "echo {}"}, numbers, set.Lines, tagged),
			untagged,
		},
		goals: commandGoals,
	}
}

// maxFiles bounds the files of the file job: GNU parallel takes 4 ms for each.
const maxFiles = 2000

// filesContest: checksums of files of Go's source tree, a command for each.
func filesContest(set settings) contest {
	count := max(1, set.Files.Count)
	input := func(n int) []byte { return head(set.Files.List, n) }
	right := func(printed []byte, n int) error {
		if !slices.Equal(sortedLines(printed), sortedLines(head(set.Files.Sums, n))) {
			return wrong("the checksums of %d files are not those of sha256sum alone", n)
		}
		return nil
	}
	j := fmt.Sprint("-j", set.Workers)
	p := fmt.Sprint("-P", set.Workers)
	many := set.line("xargs, 100 files a command", toolXargs, []string{"xargs", p, "-n100", "sha256sum"}, input, count, right)
	many.aside = true
	return contest{
		key: "files", title: fmt.Sprintf("`sha256sum` of %d files of Go's source tree, a command each, %d at once", count, set.Workers), unit: "file", operations: count,
		contenders: []contender{
			set.line(filchRunName, toolFilch, []string{"filch", "run", j, "sha256sum {}"}, input, count, right),
			set.line(xargsName, toolXargs, []string{"xargs", p, "-n1", "sha256sum"}, input, count, right),
			set.line(parallelName, toolParallel, []string{"parallel", j, "sha256sum {}"}, input, count, right),
			many,
		},
	}
}

func commandGoals(s standing) []goal {
	var l goalList
	for _, g := range []struct {
		name string
		want float64
	}{{xargsName, goalXargs}, {parallelName, goalParallel}} {
		if sc, ok := s.score(g.name); ok && !sc.contender.aside {
			l.add(s.fasterThan("its rival", g.want, g.name))
		}
	}
	return l
}

// A fileJob is the files of the file job, in a list with a line for each, and what sha256sum alone prints of them.
type fileJob struct {
	List, Sums string
	Count      int
}

// head returns the first lines of a file; none if it cannot be read, which is then a wrong result.
func head(file string, n int) []byte {
	text, _ := os.ReadFile(file)
	lines := bytes.SplitAfterN(text, []byte("\n"), n+1)
	return bytes.Join(lines[:min(n, len(lines))], nil)
}

// listFiles finds the files of the file job, evenly over the tree, and writes what belongs to it into dir.
func listFiles(ctx context.Context, most int, dir string) (f fileJob, err error) {
	root, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return f, fmt.Errorf("go env GOROOT: %w", err)
	}
	var all, files []string
	err = filepath.WalkDir(filepath.Join(strings.TrimSpace(string(root)), "src"), func(p string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && strings.HasSuffix(p, ".go") && !strings.ContainsAny(p, " '\"\\") {
			all = append(all, p) // xargs would read quotes
		}
		return err
	})
	if err != nil {
		return f, fmt.Errorf("the files of Go's source tree: %w", err)
	}
	f.Count = min(len(all), most, maxFiles)
	for i := range f.Count {
		files = append(files, all[i*len(all)/f.Count])
	}
	sums, err := exec.CommandContext(ctx, "sha256sum", files...).Output()
	if err != nil {
		return f, fmt.Errorf("sha256sum: %w", err)
	}
	f.List, f.Sums = filepath.Join(dir, "files"), filepath.Join(dir, "sums")
	if err := os.WriteFile(f.List, []byte(strings.Join(files, "\n")+"\n"), 0o600); err != nil {
		return f, err
	}
	return f, os.WriteFile(f.Sums, sums, 0o600)
}
