//go:build unix

package command

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/filchsched/filch/exec/proc"
	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/steal"
	"github.com/filchsched/filch/steal/core"
)

func TestMain(m *testing.M) {
	proc.Supervise()
	goleak.VerifyTestMain(m)
}

func newTestExecutor(t *testing.T) *Executor {
	r, err := proc.New(proc.Config{})
	if err != nil {
		t.Fatal(err)
	}
	x := NewExecutor(r, nil)
	x.Host = "n1"
	t.Cleanup(func() {
		x.Close()
		r.Close()
	})
	return x
}

// runOf is a piece of n commands.
func runOf(t *testing.T, h Header, bodies ...Body) steal.Run {
	t.Helper()
	p := core.Piece{Job: core.JobID{Home: "h", Seq: 1}, Span: core.Span{Lo: 5, Hi: 5 + uint64(len(bodies))}, Attempt: core.Attempt{Incarnation: 1, N: 1}}
	r := steal.Run{Run: core.Run{Piece: p}}
	var err error
	if r.Header, err = h.Append(nil); err != nil {
		t.Fatal(err)
	}
	for _, b := range bodies {
		one, err := b.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Bodies = append(r.Bodies, one)
	}
	return r
}

func start1(x *Executor, r steal.Run) <-chan steal.End {
	ends := make(chan steal.End, 1)
	x.Start(r, func(e steal.End) { ends <- e })
	return ends
}

// execute runs commands and returns their results.
func execute(t *testing.T, x *Executor, h Header, bodies ...Body) (steal.End, []Result) {
	t.Helper()
	e := <-start1(x, runOf(t, h, bodies...))
	var all []Result
	for _, v := range e.Values {
		r, err := DecodeResult(v)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return e, all
}

func here(t *testing.T) Header {
	return Header{Dir: t.TempDir(), Env: append(os.Environ(), "GREETING=hello"), Umask: -1}
}

func TestACommandRunsWhereAndWithWhatItsHomeSays(t *testing.T) {
	h := here(t)
	h.Job, h.Cores = "nightly", 2
	e, all := execute(t, newTestExecutor(t), h, Body{Line: `pwd; echo $GREETING $FILCH_TASK_ID $FILCH_JOB_ID $FILCH_ATTEMPT $OMP_NUM_THREADS; echo oops >&2; cat`, Seq: 7, Attempt: 2})
	want := h.Dir + "\nhello 7 nightly 2 2\n"
	if e.State != task.Done || len(all) != 1 || string(all[0].Stdout) != want || string(all[0].Stderr) != "oops\n" || all[0].Host != "n1" || all[0].Start.IsZero() {
		t.Errorf("%+v\n%+v", e, all)
	}
}

// TestTheStoryTellsWhichSignalEndedACommand: what a command that ended by itself failed with is its exit code.
func TestTheStoryTellsWhichSignalEndedACommand(t *testing.T) {
	x := newTestExecutor(t)
	for line, want := range map[string]string{"kill -TERM $$": "ended by signal 15 (terminated)", "exit 3": ""} {
		e, all := execute(t, x, here(t), Body{Line: line, Seq: 1, Attempt: 1})
		if e.State != task.Failed || e.Reason != want || len(all) != 1 || all[0].Reason != "" {
			t.Errorf("%s: %+v\n%+v", line, e, all)
		}
	}
}

func TestUmask(t *testing.T) {
	if !supervised() {
		t.Skip("there is no supervisor")
	}
	h := here(t)
	h.Umask = 0o77
	_, all := execute(t, newTestExecutor(t), h, Body{Line: "umask"})
	if got := strings.TrimLeft(strings.TrimSpace(string(all[0].Stdout)), "0"); got != "77" {
		t.Errorf("umask %s", got)
	}
}

func TestAnywhereIsADirectoryOfItsOwnThatIsGoneAfterwards(t *testing.T) {
	t.Setenv("UNDECLARED", "x")
	e, all := execute(t, newTestExecutor(t), Header{Anywhere: true, Umask: -1, Env: []string{"A=1"}},
		Body{Line: `pwd; ls -A; echo "$PWD $HOME $A[$UNDECLARED]"; touch left; env | cut -d= -f1 | sort | tr '\n' ' '`, Seq: 1})
	lines := strings.Split(string(all[0].Stdout), "\n")
	if e.State != task.Done || len(lines) != 3 {
		t.Fatalf("%+v\n%s", e, all[0].Stdout)
	}
	dir := lines[0]
	if lines[1] != fmt.Sprintf("%s %s 1[]", dir, dir) {
		t.Errorf("it saw %q", lines[1])
	}
	if strings.Contains(lines[2], "UNDECLARED") {
		t.Errorf("its environment was %s", lines[2])
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("its directory %s is still there: %v", dir, err)
	}
}

func TestALongOutputTravelsBesideTheResult(t *testing.T) {
	e, all := execute(t, newTestExecutor(t), here(t), Body{Line: "head -c 100000 /dev/zero; echo e >&2"})
	if all[0].Inline || all[0].OutLen != 100000 || all[0].ErrLen != 2 || len(e.Outputs) != 2 {
		t.Fatalf("%+v, %d outputs", all[0], len(e.Outputs))
	}
	for k, want := range []steal.Output{{Index: 5, Name: Stdout}, {Index: 5, Name: Stderr}} {
		o := e.Outputs[k]
		b, err := io.ReadAll(o.Data.Reader())
		if o.Index != want.Index || o.Name != want.Name || err != nil || int64(len(b)) != o.Data.Len() {
			t.Errorf("output %d: %+v: %d bytes, %v", k, o, len(b), err)
		}
		o.Data.Close()
	}
}

func TestOnlyFailuresOfTheMachineSmellOfIt(t *testing.T) {
	x := newTestExecutor(t)
	h := here(t)
	plain := filepath.Join(h.Dir, "plain")
	if err := os.WriteFile(plain, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	gone := h
	gone.Dir = filepath.Join(h.Dir, "gone")
	for _, c := range []struct {
		name  string
		h     Header
		b     Body
		exit  int
		smell bool
	}{
		{"it failed", h, Body{Line: "exit 3"}, 3, false},
		{"killed", h, Body{Line: "kill -9 $$"}, 0, false},
		{"not found", h, Body{Argv: []string{"no-such-program"}}, 127, true},
		{"not found by its shell", h, Body{Line: "no-such-program; exit"}, 127, true},
		{"not executable", h, Body{Argv: []string{plain}}, 126, true},
		{"no directory", gone, Body{Argv: []string{"true"}}, 127, true},
		{"too late", h, Body{Line: "sleep 100", Timeout: time.Millisecond}, 124, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, all := execute(t, x, c.h, c.b)
			if e.State != task.Failed || e.Smell != c.smell || len(all) != 1 || all[0].State != task.Failed {
				t.Fatalf("%+v\n%+v", e, all)
			}
			if int(e.Exit) != c.exit && c.name != "no directory" {
				t.Errorf("exit %d, want %d", e.Exit, c.exit)
			}
			if c.smell && c.b.Argv != nil && e.Reason == "" {
				t.Error("nobody says why")
			}
			if late := c.name == "too late"; late != (all[0].Detail == Timeout) {
				t.Errorf("detail %q", all[0].Detail)
			}
		})
	}
}

func TestCommandsOfAPieceRunOneAfterTheOtherAndEachHasItsOutcome(t *testing.T) {
	h := here(t)
	e, all := execute(t, newTestExecutor(t), h, Body{Line: "echo a >> log"}, Body{Line: "echo b >> log; exit 4"}, Body{Line: "cat log"})
	if e.State != task.Done || len(all) != 3 || string(all[2].Stdout) != "a\nb\n" {
		t.Fatalf("%+v\n%+v", e, all)
	}
	if len(e.Exceptions) != 1 || e.Exceptions[0].Index != 6 || e.Exceptions[0].Exit != 4 {
		t.Errorf("%+v", e.Exceptions)
	}
}

// begun waits until the command of a run has created a file.
func begun(t *testing.T, fifo string) {
	t.Helper()
	if _, err := os.ReadFile(fifo); err != nil {
		t.Fatal(err)
	}
}

func TestWhatIsHaltedOrOverItsLeashHasNoOutcome(t *testing.T) {
	x := newTestExecutor(t)
	for name, stop := range map[string]func(r steal.Run){
		"halt":  func(r steal.Run) { x.Halt(r.Piece) },
		"leash": func(r steal.Run) { x.Leash(9, proc.Clock()) },
	} {
		t.Run(name, func(t *testing.T) {
			h := here(t)
			fifo := mkfifo(t)
			r := runOf(t, h, Body{Line: "echo > " + fifo + "; exec sleep 100"}, Body{Line: "touch second"})
			x.Leash(9, proc.Clock()+time.Hour)
			r.Leash = 9
			end := start1(x, r)
			begun(t, fifo)
			stop(r)
			if e := <-end; e.State != task.Cancelled || e.Piece != r.Piece || len(e.Values) > 0 {
				t.Errorf("%+v", e)
			}
			if _, err := os.Stat(filepath.Join(h.Dir, "second")); err == nil {
				t.Error("the next command of the piece ran")
			}
		})
	}
}

func TestALeashThatIsOverLetsNothingStart(t *testing.T) {
	x := newTestExecutor(t)
	h := here(t)
	r := runOf(t, h, Body{Line: "touch ran; sleep 100"})
	x.Leash(3, proc.Clock()-time.Second)
	r.Leash = 3
	if e := <-start1(x, r); e.State != task.Cancelled {
		t.Errorf("%+v", e)
	}
}

func TestCloseEndsWhatRuns(t *testing.T) {
	x := newTestExecutor(t)
	fifo := mkfifo(t)
	r := runOf(t, here(t), Body{Line: "echo > " + fifo + "; exec sleep 100"})
	end := start1(x, r)
	begun(t, fifo)
	x.Close()
	if e := <-end; e.State != task.Cancelled {
		t.Errorf("%+v", e)
	}
	if e := <-start1(x, r); e.State != task.Cancelled {
		t.Errorf("after the close: %+v", e)
	}
}

func TestGarbageIsAFailureThatSmellsOfThePeer(t *testing.T) {
	x := newTestExecutor(t)
	good := runOf(t, here(t), Body{Line: "true"})
	for name, r := range map[string]steal.Run{
		"header":  {Run: good.Run, Header: []byte{0xdd, 0x7f}, Bodies: good.Bodies},
		"body":    {Run: good.Run, Header: good.Header, Bodies: [][]byte{{0xc1}}},
		"nothing": {Run: good.Run, Header: good.Header},
	} {
		if e := <-start1(x, r); e.State != task.Failed || !e.Smell {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

func TestAHomesOwnFailuresNeverSmell(t *testing.T) {
	x := NewOwn(func(context.Context, core.Run, uint64) proc.Result {
		return proc.Result{Outcome: task.Outcome{State: task.Failed, Exit: 127, Err: &proc.StartError{Name: "x", Exit: 127}}}
	})
	defer x.Close()
	r := runOf(t, here(t), Body{Line: "x"})
	if x.Wants(r.Piece.Job) {
		t.Error("it wants to be told what it knows")
	}
	if e := <-start1(x, r); e.State != task.Failed || e.Smell || e.Exit != 127 {
		t.Errorf("%+v", e)
	}
}
