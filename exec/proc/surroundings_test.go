//go:build unix

package proc

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/filchsched/filch/exec/task"
)

func TestTimeout(t *testing.T) {
	eachStarter(t, func(t *testing.T, r *Runner) {
		r.grace = 50 * time.Millisecond
		for _, script := range []string{
			"echo before; exec sleep 1000",
			"trap '' TERM; echo before; while :; do sleep 1000; done",
			"trap 'exit 0' TERM; echo before; sleep 1000 & wait",
		} {
			res, out, _ := run(t, r, Command{Shell: script, Timeout: 200 * time.Millisecond})
			var late *TimeoutError
			if !errors.As(res.Err, &late) || res.State != task.Failed || res.Exit != ExitTimeout || res.Signal != 0 || StateOf(res.Outcome) != "TIMEOUT" {
				t.Errorf("%s: %+v", script, res.Outcome)
			}
			if out != "before\n" || res.Wall < 200*time.Millisecond || res.Wall > tooLate {
				t.Errorf("%s: printed %q in %v", script, out, res.Wall)
			}
		}
		if res, _, _ := run(t, r, Command{Argv: []string{"true"}, Timeout: time.Hour}); res.State != task.Done || StateOf(res.Outcome) != "done" {
			t.Errorf("in time: %+v", res.Outcome)
		}
		res, _ := runUntil(t, r, "echo >$0; exec sleep 1000")
		if StateOf(res.Outcome) != "cancelled" {
			t.Errorf("cancelled is %q", StateOf(res.Outcome))
		}
		res.Stdout.Close()
	})
}

func TestInput(t *testing.T) {
	eachStarter(t, func(t *testing.T, r *Runner) {
		for _, n := range []int{0, 1, pipeHolds, pipeHolds + 1, 300000} {
			in := strings.Repeat("x", n)
			if res, out, _ := run(t, r, Command{Argv: []string{"cat"}, Input: []byte(in)}); out != in || res.Err != nil {
				t.Errorf("of %d bytes came back %d: %v", n, len(out), res.Err)
			}
			// A command that does not read is none the worse for it.
			if res, _, _ := run(t, r, Command{Argv: []string{"true"}, Input: []byte(in)}); res.Err != nil {
				t.Error(res.Err)
			}
		}
		if res := r.Run(t.Context(), Command{Argv: []string{"cat"}, Input: []byte("x"), Stdin: os.Stdin}); !errors.Is(res.Err, errTwoInputs) || res.Exit != 125 {
			t.Errorf("two inputs: %+v", res.Outcome)
		}
	})
}

func TestVariables(t *testing.T) {
	t.Setenv("FILCH_TASK_ID", "of an outer filch")
	t.Setenv("KEPT", "yes")
	os.Unsetenv("OMP_NUM_THREADS")
	os.Unsetenv("GOMAXPROCS")
	eachStarter(t, func(t *testing.T, r *Runner) {
		show := "echo $FILCH_TASK_ID $FILCH_JOB_ID $FILCH_ATTEMPT $OMP_NUM_THREADS $GOMAXPROCS $KEPT $MORE"
		for _, c := range []struct {
			cmd  Command
			want string
		}{
			{Command{}, "of an outer filch yes"},
			{Command{Task: 7, Job: "nightly", Attempt: task.Attempt{Incarnation: 9, N: 2}, Cores: 3}, "7 nightly 2 3 3 yes"},
			{Command{Task: 7, Cores: 3, AddEnv: []string{"OMP_NUM_THREADS=1", "KEPT=no", "MORE=a=b", "MORE=last"}}, "7 1 3 no last"},
			{Command{Task: 7, Cores: 3, Env: []string{"PATH=/usr/bin:/bin", "GOMAXPROCS=1"}}, "7 3 1"},
		} {
			c.cmd.Shell = show
			if _, out, _ := run(t, r, c.cmd); strings.Join(strings.Fields(out), " ") != c.want {
				t.Errorf("%+v: %q, want %q", c.cmd, out, c.want)
			}
		}
		dir := files(t)
		if _, out, _ := run(t, r, Command{Argv: []string{"hello"}, Dir: dir, AddEnv: []string{"PATH=" + dir}}); out != "hello from "+dir+"\n" {
			t.Errorf("with another PATH: %q", out)
		}
	})
}
