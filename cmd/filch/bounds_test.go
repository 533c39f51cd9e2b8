//go:build linux

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/filchsched/filch/cmd/filch/parallel"
	"github.com/filchsched/filch/exec/proc"
	"github.com/filchsched/filch/exec/task"
)

// manyLinesEnv makes TestStalledFirstTask use as many lines as it says.
const manyLinesEnv = "FILCH_TEST_LINES"

// Invariant: what a run holds back for the sake of order does not fill the
// memory. The first task hangs until all others have ended, each of which has a line to print; commands cost
// nothing here.
func TestStalledFirstTask(t *testing.T) {
	lines := 200_000
	if s := os.Getenv(manyLinesEnv); s != "" {
		var err error
		if lines, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		defer w.Close()
		b := bufio.NewWriter(w)
		defer b.Flush()
		for i := range lines {
			fmt.Fprintln(b, i+1)
		}
	}()
	template, err := parallel.ParseTemplate([]string{"x"}, parallel.Style{})
	if err != nil {
		t.Fatal(err)
	}
	rows, err := parallel.OpenRows(nil, parallel.Options{Stdin: r})
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	plan, err := runOptions{keepOrder: true, maxArgs: 1, retries: 1}.plan()
	if err != nil {
		t.Fatal(err)
	}
	var peak int64
	last := make(chan struct{})
	var out lineChecker
	x := &execution{plan: plan, template: template, rows: rows, jobs: 4, stopper: newStopper(t.Context())}
	x.run = func(_ context.Context, c proc.Command) proc.Result {
		switch c.Argv[1] {
		case "1":
			<-last
			peak = peakMemory(t)
		case strconv.Itoa(lines):
			close(last)
		}
		return proc.Result{Outcome: task.Outcome{State: task.Failed, Err: fmt.Errorf("%s", c.Argv[1])}}
	}
	err = x.execute(io.Discard, &out)
	if err != exitCode(101) || out.next != lines || out.wrong != "" {
		t.Errorf("%v: %d of %d lines, %q", err, out.next, lines, out.wrong)
	}
	const limit = 200 << 20
	if peak > limit {
		t.Errorf("%d MB are too much", peak>>20)
	}
	t.Logf("%d lines: %d MB", lines, peak>>20)
}

// A lineChecker expects "filch: 1", "filch: 2" and so on.
type lineChecker struct {
	next  int
	rest  string
	wrong string
}

func (l *lineChecker) Write(p []byte) (int, error) {
	text := l.rest + string(p)
	for {
		line, rest, ok := strings.Cut(text, "\n")
		if !ok {
			l.rest = text
			return len(p), nil
		}
		if l.next++; line != "filch: "+strconv.Itoa(l.next) && l.wrong == "" {
			l.wrong = line
		}
		text = rest
	}
}

// peakMemory is the peak of this process's resident memory.
func peakMemory(t *testing.T) int64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	var kB int64
	if _, err := fmt.Sscan(rest, &kB); err != nil {
		t.Fatal(err)
	}
	return kB << 10
}
