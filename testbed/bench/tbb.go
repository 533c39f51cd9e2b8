package main

import (
	"bufio"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

//go:embed tbb/fib.cpp
var tbbSource []byte

// maxTBBLine bounds a line of the C++ program's output; its own are far
// shorter.
const maxTBBLine = 256

// tbbProgram is the C++ rival, built for this run, or the reason why it is not there.
type tbbProgram struct {
	Path    string
	Version string // of the library it runs with
	Missing string // why it could not be built
}

// buildTBB compiles the C++ program into a temporary directory, which cleanup
// removes. A missing compiler or library is not an error: the contenders are
// then marked as missing.
func buildTBB() (p tbbProgram, cleanup func(), err error) {
	cleanup = func() {}
	compiler := os.Getenv("CXX")
	if compiler == "" {
		compiler = "g++"
	}
	if _, err := exec.LookPath(compiler); err != nil {
		return tbbProgram{Missing: fmt.Sprintf("no C++ compiler (%s): install g++ and libtbb-dev", compiler)}, cleanup, nil
	}
	dir, err := os.MkdirTemp("", "filch-bench-")
	if err != nil {
		return p, cleanup, fmt.Errorf("directory for the oneTBB program: %w", err)
	}
	cleanup = func() { os.RemoveAll(dir) }
	source, binary := filepath.Join(dir, "fib.cpp"), filepath.Join(dir, "fib")
	if err := os.WriteFile(source, tbbSource, 0o600); err != nil {
		cleanup()
		return p, func() {}, fmt.Errorf("source of the oneTBB program: %w", err)
	}
	out, err := exec.Command(compiler, "-O2", "-std=c++17", "-o", binary, source, "-ltbb").CombinedOutput()
	if err != nil {
		first, _, _ := strings.Cut(string(out), "\n")
		return tbbProgram{Missing: fmt.Sprintf("%s cannot build against oneTBB; install libtbb-dev (%s)", compiler, first)}, cleanup, nil
	}
	return tbbProgram{Path: binary, Version: askTBBVersion(binary)}, cleanup, nil
}

// askTBBVersion runs the program on next to nothing, for the version it prints.
func askTBBVersion(binary string) string {
	out, err := exec.Command(binary, "task_group", "1", "1", "1", "1").Output()
	if err != nil {
		return "unknown version"
	}
	report, err := parseTBB(strings.NewReader(string(out)))
	if err != nil {
		return "unknown version"
	}
	return report.version
}

func (p tbbProgram) contender(name, form string, set settings) contender {
	return contender{
		name:    name,
		missing: p.Missing,
		config:  fmt.Sprintf("oneTBB %s, g++ -O2, task_arena of %d, timed inside the program after a warm-up", p.Version, set.Workers),
		run: func(ctx context.Context, c *clock) error {
			out, err := exec.CommandContext(ctx, p.Path, form, strconv.Itoa(set.Fib), strconv.Itoa(set.Workers),
				strconv.Itoa(maxLaps), strconv.FormatInt(clockBudget.Nanoseconds(), 10)).Output()
			if err != nil {
				return fmt.Errorf("oneTBB program: %w", err)
			}
			report, err := parseTBB(strings.NewReader(string(out)))
			if err != nil {
				return fmt.Errorf("oneTBB program: %w", err)
			}
			for _, lap := range report.laps {
				if err := checkFib(set.Fib, lap.value); err != nil {
					return err
				}
				c.record(lap.elapsed)
			}
			return nil
		},
	}
}

// tbbReport is what the C++ program printed.
type tbbReport struct {
	version string
	laps    []tbbLap
}

type tbbLap struct {
	elapsed time.Duration
	value   int
}

// parseTBB reads the output of tbb/fib.cpp.
func parseTBB(r io.Reader) (tbbReport, error) {
	var report tbbReport
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxTBBLine)
	for lines.Scan() {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		switch word {
		case "version":
			report.version = rest
		case "lap":
			lap, err := parseTBBLap(rest)
			if err != nil {
				return tbbReport{}, err
			}
			report.laps = append(report.laps, lap)
		default:
			return tbbReport{}, fmt.Errorf("unknown line %q", lines.Text())
		}
	}
	if err := lines.Err(); err != nil {
		return tbbReport{}, err
	}
	if len(report.laps) == 0 {
		return tbbReport{}, errors.New("no laps in its output")
	}
	return report, nil
}

func parseTBBLap(s string) (tbbLap, error) {
	elapsed, value, _ := strings.Cut(s, " ")
	ns, err := strconv.ParseInt(elapsed, 10, 64)
	if err != nil || ns <= 0 {
		return tbbLap{}, fmt.Errorf("lap %q: want a time in nanoseconds and a value", s)
	}
	v, err := strconv.Atoi(value)
	if err != nil {
		return tbbLap{}, fmt.Errorf("lap %q: want a time in nanoseconds and a value", s)
	}
	return tbbLap{time.Duration(ns), v}, nil
}
