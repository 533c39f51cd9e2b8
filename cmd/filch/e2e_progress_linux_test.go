package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/filchsched/filch/cmd/filch/parallel"
)

// pseudoTerminal makes a terminal of so many columns: what filch writes to screen is read from far.
func pseudoTerminal(t *testing.T, columns uint16) (far, screen *os.File) {
	t.Helper()
	far, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { far.Close() })
	fd := int(far.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Skip(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Skip(err)
	}
	screen, err = os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip(err)
	}
	if err := unix.IoctlSetWinsize(int(screen.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: columns}); err != nil {
		t.Fatal(err)
	}
	return far, screen
}

// everything reads what comes to a terminal until its last user is gone.
func everything(far *os.File) (text func() string) {
	var b bytes.Buffer
	done := make(chan struct{})
	go func() {
		defer close(done)
		io.Copy(&b, far) // ends with EIO
	}()
	return func() string { <-done; return b.String() }
}

// shownLines are what can be read on a terminal in the end: of each line what was written after
// it was erased for the last time.
func shownLines(text string) []string {
	var lines []string
	for _, l := range strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n") {
		lines = append(lines, l[strings.LastIndex(l, clearLine)+1:])
	}
	for i, l := range lines {
		lines[i] = strings.TrimPrefix(l, clearLine[1:])
	}
	return lines
}

// Output and progress on one terminal: each line of output stands alone, the last state of the progress
// stays, and nothing is wider than the terminal.
func TestProgressBesideOutput(t *testing.T) {
	for _, c := range []struct {
		flag    string
		columns uint16
		last    string
	}{
		{"--bar", 80, `^\[#+\] 100% 4/4, 1 failed, 0 running, \d+s$`},
		{"--eta", 80, `^100% 4/4, 1 failed, 0 running, \d+s$`},
		{"--bar", 20, `^100% 4/4, 1 failed,$`},
		{"--bar", 5, `^100%$`},
		{"--eta", 1, `^$`},
	} {
		t.Run(fmt.Sprint(c.flag, c.columns), func(t *testing.T) {
			t.Parallel()
			far, screen := pseudoTerminal(t, c.columns)
			text := everything(far)
			cmd := filch(t, "run", "-k", "-j1", c.flag, "sleep 0.3; echo line {}; echo error {} >&2; test {} != 3", ":::", "1", "2", "3", "4")
			cmd.Stdout, cmd.Stderr = screen, screen
			cmd.Run()
			screen.Close()
			if code := cmd.ProcessState.ExitCode(); code != 1 {
				t.Errorf("%s: exit code %d", c.flag, code)
			}
			lines := shownLines(text())
			if len(lines) != 10 || lines[9] != "" {
				t.Fatalf("progress disturbs the output: %q", lines)
			}
			for i, l := range lines[:8] {
				if want := []string{"line ", "error "}[i%2] + strconv.Itoa(i/2+1); l != want {
					t.Errorf("progress disturbs the output: %s in %d columns shows %q, want %q", c.flag, c.columns, l, want)
				}
			}
			if last := strings.TrimSpace(lines[8]); !regexp.MustCompile(c.last).MatchString(last) || len(lines[8]) >= int(c.columns) && c.columns > 1 {
				t.Errorf("%s in %d columns ends with %q", c.flag, c.columns, last)
			}
		})
	}
}

// Progress goes to standard error, only if that is a terminal, and not at all with --quiet.
func TestProgressOnlyOnATerminal(t *testing.T) {
	for _, flag := range []string{"--bar", "--eta"} {
		far, screen := pseudoTerminal(t, 80)
		text := everything(far)
		cmd := filch(t, "run", flag, "echo", ":::", "a")
		var errs bytes.Buffer
		cmd.Stdout, cmd.Stderr = screen, &errs
		cmd.Run()
		quiet := filch(t, "run", "--quiet", flag, "true", ":::", "a")
		quiet.Stderr = screen
		quiet.Run()
		screen.Close()
		if got := text(); got != "a\r\n" || errs.Len() > 0 {
			t.Errorf("%s is shown where nobody should see it: %q, %q", flag, got, errs.String())
		}
	}
}

// --delay: the n-th command starts n-1 times as late, at the earliest.
func TestDelayKeepsStartsApart(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	begun := time.Now().Truncate(time.Millisecond)
	if _, errs, code := finish(t, filch(t, "run", "-j3", "--delay", "0.2", "--joblog", log, "true", ":::", "a", "b", "c")); code != 0 {
		t.Fatal(errs)
	}
	f, err := os.Open(log)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var last time.Duration
	parallel.ReadJoblog(f, func(e parallel.Entry) { last = max(last, e.Start.Sub(begun)) })
	if last < 400*time.Millisecond {
		t.Errorf("--delay: the third command started after %v, want 400ms or more", last)
	}
}
