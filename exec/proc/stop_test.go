//go:build unix

package proc

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/filchsched/filch/exec/task"
)

var errEnough = errors.New("enough")

// tooLate is when a test that ought to return promptly is taken for hung.
const tooLate = 20 * time.Second

// A fifo is how a command under test says that it has come to a point.
type fifo string

func newFifo(t *testing.T) fifo {
	path := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	return fifo(path)
}

// await returns what was written to the fifo, once its last writer closed it.
func (f fifo) await(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(string(f))
	if err != nil {
		t.Error(err)
	}
	return strings.TrimSpace(string(b))
}

// runUntil starts a script, cancels it when it has written to the fifo ($0), and
// returns the result and what it wrote.
func runUntil(t *testing.T, r *Runner, script string) (Result, string) {
	t.Helper()
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	f := newFifo(t)
	results := make(chan Result, 1)
	go func() { results <- r.Run(ctx, Command{Argv: []string{"sh", "-c", script, string(f)}}) }()
	said := f.await(t)
	cancel(errEnough)
	select {
	case res := <-results:
		if res.State != task.Cancelled || !errors.Is(res.Err, errEnough) {
			t.Errorf("ended as %v: %v", res.State, res.Err)
		}
		res.Stderr.Close()
		return res, said
	case <-time.After(tooLate):
		t.Fatal("Run does not return")
		panic("unreachable")
	}
}

// isGone reports whether no process has that number, or only a zombie whose
// parent (not we) has not looked yet.
func isGone(t *testing.T, pid string) bool {
	n, err := strconv.Atoi(pid)
	if err != nil {
		t.Fatalf("%q is no process number", pid)
	}
	if syscall.Kill(n, 0) == syscall.ESRCH {
		return true
	}
	stat, _ := os.ReadFile("/proc/" + pid + "/stat")
	_, rest, _ := strings.Cut(string(stat), ") ")
	return strings.HasPrefix(rest, "Z")
}

func TestCancelTerminates(t *testing.T) {
	eachStarter(t, func(t *testing.T, r *Runner) {
		r.grace = time.Hour // TERM is enough
		res, pid := runUntil(t, r, "echo before; echo $$ >$0; exec sleep 1000")
		if res.Signal != int(syscall.SIGTERM) || !isGone(t, pid) {
			t.Errorf("signal %d, gone %v", res.Signal, isGone(t, pid))
		}
		if out := text(t, res.Stdout); out != "before\n" {
			t.Errorf("printed %q", out)
		}
	})
}

func TestCancelLetsACommandTidyUp(t *testing.T) {
	eachStarter(t, func(t *testing.T, r *Runner) {
		r.grace = time.Hour
		res, _ := runUntil(t, r, `trap 'echo tidied; exit 5' TERM; echo >$0; while :; do sleep 0.01; done`)
		if out := text(t, res.Stdout); res.Exit != 5 || out != "tidied\n" {
			t.Errorf("exit %d, printed %q", res.Exit, out)
		}
	})
}

func TestCancelKillsWhatIgnoresTERM(t *testing.T) {
	eachStarter(t, func(t *testing.T, r *Runner) {
		r.grace = 50 * time.Millisecond
		res, pid := runUntil(t, r, `trap '' TERM; echo $$ >$0; while :; do sleep 1000; done`)
		if res.Signal != int(syscall.SIGKILL) || res.Wall < r.grace || !isGone(t, pid) {
			t.Errorf("signal %d after %v, gone %v", res.Signal, res.Wall, isGone(t, pid))
		}
		text(t, res.Stdout)
	})
}

// The command obeys TERM, but a process of its group does not.
func TestCancelKillsTheRestOfTheGroup(t *testing.T) {
	eachStarter(t, func(t *testing.T, r *Runner) {
		r.grace = 50 * time.Millisecond
		res, pid := runUntil(t, r, `trap 'exit 0' TERM; sh -c 'trap "" TERM; echo $$ >$0; exec sleep 1000' $0 & wait`)
		if !isGone(t, pid) {
			t.Errorf("process %s is left (result %+v)", pid, res.Outcome)
		}
		text(t, res.Stdout)
	})
}

// The command is dead at once, and a process of its group uses its grace, also to write.
func TestTheRestOfTheGroupHasItsGrace(t *testing.T) {
	eachStarter(t, func(t *testing.T, r *Runner) {
		r.grace = time.Hour
		mark := filepath.Join(t.TempDir(), "tidied")
		_, pid := runUntil(t, r, `sh -c 'trap "sleep 0.1; echo tidying; : >`+mark+`; exit" TERM; echo $$ >$0; while :; do sleep 0.01; done' $0 & wait`)
		if _, err := os.Stat(mark); err != nil || !isGone(t, pid) {
			t.Errorf("tidied: %v, gone: %v", err, isGone(t, pid))
		}
	})
}

func TestCancelReachesAStoppedCommand(t *testing.T) {
	eachStarter(t, func(t *testing.T, r *Runner) {
		r.grace = time.Hour
		// Whoever closes the fifo last is about to stop; CONT may come before that.
		res, pid := runUntil(t, r, `trap 'exit 6' TERM; echo $$ >$0; kill -STOP $$; while :; do sleep 0.01; done`)
		if res.Exit != 6 || !isGone(t, pid) {
			t.Errorf("exit %d, gone %v", res.Exit, isGone(t, pid))
		}
	})
}

func TestCancelledBeforeStart(t *testing.T) {
	eachStarter(t, func(t *testing.T, r *Runner) {
		ctx, cancel := context.WithCancelCause(context.Background())
		cancel(errEnough)
		mark := filepath.Join(t.TempDir(), "ran")
		res := r.Run(ctx, Command{Argv: []string{"touch", mark}})
		if _, err := os.Stat(mark); err == nil || res.State != task.Cancelled || !errors.Is(res.Err, errEnough) {
			t.Errorf("%+v", res.Outcome)
		}
	})
}

// A cancel after the end changes nothing, and one that races with the end gives
// one of the two answers, never a mixture.
func TestCancelRacesWithTheEnd(t *testing.T) {
	eachStarter(t, func(t *testing.T, r *Runner) {
		for i := range 60 {
			ctx, cancel := context.WithCancel(context.Background())
			timer := time.AfterFunc(time.Duration(i)*50*time.Microsecond, cancel)
			res := r.Run(ctx, Command{Argv: []string{"true"}})
			if (res.State == task.Done) != (res.Err == nil) || res.State == task.Failed {
				t.Errorf("%+v", res.Outcome)
			}
			timer.Stop()
			cancel()
		}
	})
}

// A background process holds the streams, and writes on: Run returns with what
// was written before the command ended, and later commands don't see the rest.
func TestStraysDoNotHoldRun(t *testing.T) {
	eachStarter(t, func(t *testing.T, r *Runner) {
		f := newFifo(t)
		done := make(chan Result, 1)
		go func() {
			done <- r.Run(context.Background(), Command{Argv: []string{"sh", "-c",
				`(while :; do echo stray || sleep 0.001; done) & echo $! >$0; head -c 300000 /dev/zero; echo mine`, string(f)}})
		}()
		pid, err := strconv.Atoi(f.await(t))
		if err != nil {
			t.Fatal(err)
		}
		defer syscall.Kill(pid, syscall.SIGKILL)
		var res Result
		select {
		case res = <-done:
		case <-time.After(tooLate):
			t.Fatal("Run does not return")
		}
		if out := text(t, res.Stdout); res.State != task.Done || !strings.Contains(out, "mine\n") {
			t.Errorf("%v: %d bytes, without its last line", res.Err, len(out))
		}
		for range 5 {
			if _, out, _ := run(t, r, Command{Argv: []string{"echo", "clean"}}); out != "clean\n" {
				t.Fatalf("a later command printed %q", out)
			}
		}
	})
}

// A command that prints slowly from the background is over when it is over.
func TestSilentStrayDoesNotHoldRun(t *testing.T) {
	eachStarter(t, func(t *testing.T, r *Runner) {
		res, out, _ := run(t, r, Command{Shell: "sleep 1000 & echo $!"})
		if res.Wall > tooLate/2 {
			t.Errorf("took %v", res.Wall)
		}
		pid, err := strconv.Atoi(strings.TrimSpace(out))
		if err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Errorf("the process left behind: %v", err)
		}
	})
}
