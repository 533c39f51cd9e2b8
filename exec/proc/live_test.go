//go:build unix

package proc

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/filchsched/filch/exec/task"
)

// everyStarter runs f with a Runner of each kind of this system.
func everyStarter(t *testing.T, f func(t *testing.T, r *Runner)) {
	for _, s := range starters() {
		t.Run(s.name, func(t *testing.T) {
			r := newRunner(t, Config{})
			r.starter = s.starter
			f(t, r)
		})
	}
}

// A Writer has every chunk before the command goes on, and all of it when Run returns.
func TestOutputGoesOutWhileTheCommandRuns(t *testing.T) {
	everyStarter(t, func(t *testing.T, r *Runner) {
		f := newFifo(t)
		var errs bytes.Buffer
		out := &waiting{first: make(chan struct{})}
		go func() {
			<-out.first
			os.WriteFile(string(f), []byte("go\n"), 0)
		}()
		res := r.Run(t.Context(), Command{
			Argv:   []string{"sh", "-c", `echo first; echo e >&2; read x <$0; echo "$x"; head -c 300000 /dev/zero; exit 3`, string(f)},
			Stdout: out, Stderr: &errs, Timeout: tooLate,
		})
		if res.Exit != 3 || res.State != task.Failed || res.Stdout != nil || res.Stderr != nil {
			t.Errorf("%+v", res)
		}
		if s := out.String(); !strings.HasPrefix(s, "first\ngo\n") || len(s) != 9+300000 || errs.String() != "e\n" {
			t.Errorf("%d bytes, %.20q, %q", len(s), s, errs.String())
		}
	})
}

// waiting tells when the first bytes come.
type waiting struct {
	bytes.Buffer
	first chan struct{}
}

func (w *waiting) Write(p []byte) (int, error) {
	if w.Len() == 0 {
		close(w.first)
	}
	return w.Buffer.Write(p)
}

// A file the command writes to by itself: nothing passes through us.
func TestOutputIntoFilesOfTheCaller(t *testing.T) {
	everyStarter(t, func(t *testing.T, r *Runner) {
		pr, pw, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer pr.Close()
		res := r.Run(t.Context(), Command{Shell: "echo out; echo err >&2", Stdout: pw, Stderr: pw})
		if res.Err != nil || res.Stdout != nil {
			t.Errorf("%+v", res)
		}
		if _, err := pw.WriteString("ours\n"); err != nil {
			t.Errorf("the file is no longer the caller's: %v", err)
		}
		pw.Close()
		if got, _ := io.ReadAll(pr); string(got) != "out\nerr\nours\n" {
			t.Errorf("%q", got)
		}
		if res := r.Run(t.Context(), Command{Argv: []string{"true"}, Stdout: pw}); !errors.Is(res.Err, os.ErrClosed) {
			t.Errorf("a closed file: %v", res.Err)
		}
	})
}

// A stuck Writer keeps the command waiting, with bounded memory, but neither its end nor Run's when
// the time is up.
func TestStuckWriterDoesNotKeepTheTimeout(t *testing.T) {
	everyStarter(t, func(t *testing.T, r *Runner) {
		r.grace = 50 * time.Millisecond
		release := make(chan struct{})
		let := sync.OnceFunc(func() { close(release) })
		defer let()
		defer time.AfterFunc(tooLate/2, let).Stop() // to fail, not to hang
		stuck := &blocked{release: release}
		res := r.Run(t.Context(), Command{Shell: "yes", Stdout: stuck, Timeout: 100 * time.Millisecond})
		var late *TimeoutError
		if !errors.As(res.Err, &late) || !strings.Contains(res.Err.Error(), "took none of the next") {
			t.Errorf("%+v", res.Outcome)
		}
		if res.Wall > 3*time.Second {
			t.Errorf("took %v", res.Wall)
		}
	})
}

// blocked is a Writer that nobody reads from.
type blocked struct{ release chan struct{} }

func (b *blocked) Write(p []byte) (int, error) {
	<-b.release
	return len(p), nil
}

// A Writer that fails ends the command as a closed pipe does, and the failure is told.
func TestBrokenWriterEndsTheCommand(t *testing.T) {
	everyStarter(t, func(t *testing.T, r *Runner) {
		res := r.Run(t.Context(), Command{Shell: "yes", Stdout: broken{}, Timeout: tooLate})
		var own *Failure
		if !errors.Is(res.Err, syscall.ENOSPC) || !errors.As(res.Err, &own) || res.Exit != ExitFilchFailed {
			t.Errorf("%+v", res.Outcome)
		}
		var late *TimeoutError
		if errors.As(res.Err, &late) {
			t.Error("the command went on")
		}
	})
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

// What a command leaves behind holds its output open. All that was written before the end arrives,
// and that does not depend on who is how fast.
func TestStraysDoNotCostOutput(t *testing.T) {
	everyStarter(t, func(t *testing.T, r *Runner) {
		slow := &slowWriter{}
		begun := time.Now()
		res := r.Run(t.Context(), Command{Shell: "sleep 1000 & head -c 60000 /dev/zero; kill -9 $$; :", Stdout: slow})
		if res.Signal != int(syscall.SIGKILL) || slow.n != 60000 {
			t.Errorf("%d bytes, %+v", slow.n, res.Outcome)
		}
		if took := time.Since(begun); took > tooLate/2 {
			t.Errorf("waited %v for what was left behind", took)
		}
	})
}

// slowWriter takes longer than a reader that was in a hurry would have waited.
type slowWriter struct{ n int }

func (s *slowWriter) Write(p []byte) (int, error) {
	if s.n == 0 {
		time.Sleep(50 * time.Millisecond)
	}
	s.n += len(p)
	return len(p), nil
}

// A command in the foreground is in our group; signals go to it, from the first moment on, and to it alone.
func TestForegroundAndSignals(t *testing.T) {
	everyStarter(t, func(t *testing.T, r *Runner) {
		f := newFifo(t)
		signals := make(chan os.Signal, 1)
		ended := make(chan Result, 1)
		go func() {
			ended <- r.Run(t.Context(), Command{
				Argv:       []string{"sh", "-c", `trap 'exit 42' USR1; ps -o pgid= -p $$ >$0; while :; do sleep 0.01; done`, string(f)},
				Foreground: true, Signals: signals, Timeout: tooLate,
			})
		}()
		if group := strings.TrimSpace(f.await(t)); group != strconv.Itoa(syscall.Getpgrp()) {
			t.Errorf("the command is in group %q, not %d", group, syscall.Getpgrp())
		}
		signals <- syscall.SIGUSR1
		if res := <-ended; res.Exit != 42 {
			t.Errorf("%+v", res.Outcome)
		}
		signals <- syscall.SIGTERM // before the start
		if res := r.Run(t.Context(), Command{Shell: "sleep 1000", Foreground: true, Signals: signals}); res.Signal != int(syscall.SIGTERM) {
			t.Errorf("a signal before the start: %+v", res.Outcome)
		}
	})
}

// A command in the foreground that is cancelled is ended, and we are not, whose group it is in.
func TestForegroundIsCancelledAlone(t *testing.T) {
	everyStarter(t, func(t *testing.T, r *Runner) {
		r.grace = 50 * time.Millisecond
		f := newFifo(t)
		ctx, cancel := context.WithCancelCause(t.Context())
		ended := make(chan Result, 1)
		go func() {
			ended <- r.Run(ctx, Command{Argv: []string{"sh", "-c", `trap '' TERM; echo >$0; while :; do sleep 0.01; done`, string(f)}, Foreground: true})
		}()
		f.await(t)
		cancel(errEnough)
		if res := <-ended; res.State != task.Cancelled || res.Signal != int(syscall.SIGKILL) {
			t.Errorf("%+v", res)
		}
	})
}
