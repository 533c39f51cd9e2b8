package proc

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/filchsched/filch/exec/task"
)

// The ways in which processes get away from whoever started them. Each script writes the number
// of the process that is to be dead in the end to the fifo $0.
var escapes = map[string]string{
	"plain":                       `echo $$ >$0; exec sleep 1000`,
	"child":                       `sh -c 'echo $$ >$0; exec sleep 1000' $0; :`,
	"ignores TERM":                `trap '' TERM HUP INT; echo $$ >$0; exec sleep 1000`,
	"stopped":                     `echo $$ >$0; kill -STOP $$`,
	"background":                  `sh -c 'echo $$ >$0; exec sleep 1000' $0 & wait`,
	"double fork":                 `(sh -c 'echo $$ >$0; exec sleep 1000' $0 & ) & wait; exec sleep 1000`,
	"setsid":                      `exec setsid -w sh -c 'echo $$ >$0; exec sleep 1000' $0`,
	"setsid, double fork, env -i": `(env -i setsid sh -c 'trap "" TERM HUP; (echo $(exec sh -c "echo \$PPID") >$0; while :; do sleep 1000; done) & ' $0 & ) & wait; exec sleep 1000`,
	"left behind":                 `sh -c 'echo $$ >$0; exec sleep 1000' $0 &`,
	"left behind, setsid":         `setsid sh -c 'trap "" TERM; echo $$ >$0; exec sleep 1000' $0 &`,
}

// A run is a victim with its commands, and their processes that must not survive.
type victimRun struct {
	t          *testing.T
	cmd        *exec.Cmd
	in         io.WriteCloser
	out        *bufio.Reader
	supervisor int
	escaped    map[string]int // pidfds, by script
}

// startVictim runs scripts and returns when each has written to its fifo.
func startVictim(t *testing.T, scripts map[string]string) *victimRun {
	t.Helper()
	v := &victimRun{t: t, escaped: make(map[string]int)}
	fifos := make(map[string]fifo)
	v.cmd = exec.CommandContext(t.Context(), "/proc/self/exe")
	v.cmd.Env = append(os.Environ(), asVictim+"=1")
	v.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // as it is with a terminal of its own
	for name, script := range scripts {
		fifos[name] = newFifo(t)
		v.cmd.Args = append(v.cmd.Args, script, string(fifos[name]))
	}
	var err error
	if v.in, err = v.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := v.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	v.out = bufio.NewReader(out)
	if err := v.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		v.cmd.Process.Kill() // if the test has not
		v.in.Close()
		v.cmd.Wait()
	})
	for name, f := range fifos {
		pid, err := strconv.Atoi(f.await(t))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		v.escaped[name] = openPidfd(t, pid)
	}
	v.supervisor = supervisorOf(t, v.cmd.Process.Pid)
	supervisor := openPidfd(t, v.supervisor)
	t.Cleanup(func() { // before the victim is killed
		unix.PidfdSendSignal(supervisor, unix.SIGCONT, nil, 0)
	})
	return v
}

// stop stops a process and waits until it has.
func (v *victimRun) stop(pid int) {
	v.t.Helper()
	v.kill(pid, unix.SIGSTOP)
	for late := time.Now().Add(tooLate); time.Now().Before(late); time.Sleep(groupLookFirst) {
		stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if _, rest, _ := strings.Cut(string(stat), ") "); strings.HasPrefix(rest, "T") {
			return
		}
	}
	v.t.Fatalf("process %d does not stop", pid)
}

func openPidfd(t *testing.T, pid int) int {
	t.Helper()
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		t.Fatalf("process %d: %v", pid, err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	return fd
}

// supervisorOf finds the child of pid that is a supervisor.
func supervisorOf(t *testing.T, pid int) (found int) {
	t.Helper()
	eachProcess(func(p processStat) bool {
		line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p.pid))
		if p.parent == pid && strings.HasPrefix(string(line), supervisorName) {
			found = p.pid
		}
		return found == 0
	})
	if found == 0 {
		t.Fatalf("process %d has no supervisor", pid)
	}
	return found
}

// expectGone fails for every process that is alive after a while. One that is, is killed: the
// test leaves nothing.
func (v *victimRun) expectGone() {
	v.t.Helper()
	late := time.Now().Add(tooLate)
	for name, fd := range v.escaped {
		if !endsBy(fd, late) {
			v.t.Errorf("%s: still alive", name)
			unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0)
		}
	}
}

// endsBy waits until the process of a pidfd has ended, and looks once at least.
func endsBy(fd int, late time.Time) bool {
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	for {
		wait := max(0, time.Until(late))
		unix.Poll(fds, int(wait.Milliseconds()))
		if fds[0].Revents != 0 || wait == 0 {
			return fds[0].Revents != 0
		}
	}
}

func (v *victimRun) expectAlive() {
	v.t.Helper()
	for name, fd := range v.escaped {
		if unix.PidfdSendSignal(fd, 0, nil, 0) != nil || endsBy(fd, time.Now()) {
			v.t.Errorf("%s: dead too early", name)
		}
	}
}

func (v *victimRun) expectLine(want string) {
	v.t.Helper()
	line, err := v.out.ReadString('\n')
	if line != want+"\n" {
		v.t.Errorf("the victim said %q (%v), not %q", line, err, want)
	}
}

func (v *victimRun) kill(pid int, sig unix.Signal) {
	v.t.Helper()
	if err := unix.Kill(pid, sig); err != nil {
		v.t.Fatal(err)
	}
}

func TestNothingSurvivesFilch(t *testing.T) {
	for name, sigs := range map[string][]unix.Signal{
		"KILL":            {unix.SIGKILL},
		"TERM":            {unix.SIGTERM},
		"ABRT":            {unix.SIGABRT},
		"STOP, then KILL": {unix.SIGSTOP, unix.SIGKILL},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := startVictim(t, escapes)
			v.expectAlive()
			v.escaped["the supervisor"] = openPidfd(t, v.supervisor)
			for _, sig := range sigs {
				v.kill(v.cmd.Process.Pid, sig)
			}
			v.expectGone()
		})
	}
}

// The supervisor is killed, and filch lives: the commands are ended and reported
// as lost, and the next one runs under a new supervisor.
func TestNothingSurvivesTheSupervisor(t *testing.T) {
	for name, sigs := range map[string][]unix.Signal{
		"KILL":            {unix.SIGKILL},
		"STOP, then KILL": {unix.SIGSTOP, unix.SIGKILL},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := startVictim(t, map[string]string{
				"plain":                       escapes["plain"],
				"double fork":                 escapes["double fork"],
				"ignores TERM":                escapes["ignores TERM"],
				"setsid, double fork, env -i": escapes["setsid, double fork, env -i"],
			})
			v.expectAlive()
			for _, sig := range sigs {
				v.kill(v.supervisor, sig)
			}
			v.expectGone()
			for range v.escaped {
				v.expectLine("failed exit 125 signal 0 lost true")
			}
			io.WriteString(v.in, "exit 3\n")
			v.expectLine("failed exit 3 signal 0 lost false")
			if again := supervisorOf(t, v.cmd.Process.Pid); again == v.supervisor {
				t.Error("no new supervisor")
			}
			v.in.Close()
			if err := v.cmd.Wait(); err != nil {
				t.Error(err)
			}
		})
	}
}

// Both are stopped, and filch is killed. The supervisor's process group is then an
// orphaned one, and the kernel lets stopped processes of such a group go on.
func TestStoppedSupervisorSeesTheEndOfFilch(t *testing.T) {
	v := startVictim(t, map[string]string{"setsid, double fork, env -i": escapes["setsid, double fork, env -i"]})
	v.stop(v.supervisor)
	v.stop(v.cmd.Process.Pid)
	v.kill(v.cmd.Process.Pid, unix.SIGKILL)
	v.expectGone()
}

// What commands left behind runs on until the Runner is closed, and not longer.
func TestNothingSurvivesTheRun(t *testing.T) {
	v := startVictim(t, map[string]string{"a": escapes["left behind"], "b": escapes["left behind, setsid"]})
	v.expectLine("done exit 0 signal 0 lost false")
	v.expectLine("done exit 0 signal 0 lost false")
	v.expectAlive()
	v.in.Close() // the run is over
	v.cmd.Wait()
	late := time.Now()
	for name, fd := range v.escaped {
		if !endsBy(fd, late) {
			t.Errorf("%s: alive after the end of the run", name)
			unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0)
		}
	}
}

// A stopped filch is no dead one: its commands run on and end, and when it goes
// on it sees how they ended.
func TestStoppedFilchLosesNothing(t *testing.T) {
	mark := filepath.Join(t.TempDir(), "go")
	v := startVictim(t, map[string]string{
		"waits": `echo $$ >$0; until [ -e ` + mark + ` ]; do sleep 0.01; done; exit 5`,
	})
	v.kill(v.cmd.Process.Pid, unix.SIGSTOP)
	v.expectAlive()
	if err := os.WriteFile(mark, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	v.expectGone() // it ended by itself
	v.kill(v.cmd.Process.Pid, unix.SIGCONT)
	v.expectLine("failed exit 5 signal 0 lost false")
}

// Who stops the supervisor holds up its commands, but never the end of the run.
func TestStoppedSupervisorIsWokenAtTheEnd(t *testing.T) {
	v := startVictim(t, map[string]string{"left": escapes["left behind, setsid"]})
	v.expectLine("done exit 0 signal 0 lost false")
	v.stop(v.supervisor)
	io.WriteString(v.in, "exit 4\n") // waits
	v.kill(v.supervisor, unix.SIGCONT)
	v.expectLine("failed exit 4 signal 0 lost false")
	v.stop(v.supervisor)
	v.in.Close()
	if err := v.cmd.Wait(); err != nil {
		t.Error(err)
	}
	v.expectGone()
}

// A command that the supervisor has not started yet, because somebody stopped it,
// can be cancelled, and then never starts.
func TestCancelBeforeTheSupervisorStartsIt(t *testing.T) {
	r := newRunner(t, Config{})
	run(t, r, Command{Argv: []string{"true"}})
	supervisor := supervisorOf(t, os.Getpid())
	v := &victimRun{t: t}
	v.stop(supervisor)
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(10*time.Millisecond, func() { cancel(errEnough) })
	mark := filepath.Join(t.TempDir(), "ran")
	res := r.Run(ctx, Command{Argv: []string{"touch", mark}})
	if _, err := os.Stat(mark); err == nil || res.State != task.Cancelled || !errors.Is(res.Err, errEnough) {
		t.Errorf("%+v", res.Outcome)
	}
}

// A signal for a command that a stopped supervisor has not started, or not told of yet, gets there: it
// wakes the supervisor.
func TestSignalWakesSupervisor(t *testing.T) {
	r := newRunner(t, Config{})
	run(t, r, Command{Argv: []string{"true"}})
	v := &victimRun{t: t}
	v.stop(supervisorOf(t, os.Getpid()))
	signals := make(chan os.Signal, 1)
	signals <- syscall.SIGTERM
	ctx, cancel := context.WithTimeout(t.Context(), tooLate)
	defer cancel()
	if res := r.Run(ctx, Command{Argv: []string{"sleep", "1000"}, Foreground: true, Signals: signals}); res.Signal != int(syscall.SIGTERM) || res.State != task.Failed {
		t.Errorf("%+v", res.Outcome)
	}
}

// The supervisor rounds its own timers up, but not those of commands.
func TestCommandsHaveOurTimerSlack(t *testing.T) {
	want, err := os.ReadFile("/proc/self/timerslack_ns")
	if err != nil {
		t.Skip(err)
	}
	r := newRunner(t, Config{})
	if _, out, _ := run(t, r, Command{Argv: []string{"cat", "/proc/self/timerslack_ns"}}); out != string(want) {
		t.Errorf("the timer slack of a command is %q, ours %q", out, want)
	}
}

// Orphans that have ended do not stay zombies while the run goes on.
func TestOrphansAreBuried(t *testing.T) {
	v := startVictim(t, map[string]string{
		"orphans": `for i in 1 2 3 4 5; do (sh -c : &); done; echo $$ >$0; exec sleep 1000`,
	})
	for late := time.Now().Add(tooLate); ; time.Sleep(groupLookMax) {
		zombies := 0
		eachProcess(func(p processStat) bool {
			if p.parent == v.supervisor && p.zombie {
				zombies++
			}
			return true
		})
		if zombies == 0 {
			return
		}
		if time.Now().After(late) {
			t.Fatalf("%d zombies", zombies)
		}
	}
}

// Signals of a terminal go to the foreground group, where the supervisor is not;
// and if somebody sends them to it, it stays.
func TestSupervisorOutlivesSignals(t *testing.T) {
	v := startVictim(t, map[string]string{"plain": escapes["plain"]})
	if group, err := unix.Getpgid(v.supervisor); err != nil || group != v.supervisor {
		t.Errorf("the supervisor is in group %d (%v)", group, err)
	}
	for _, sig := range []unix.Signal{unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGQUIT, unix.SIGTSTP, unix.SIGPIPE} {
		v.kill(v.supervisor, sig)
	}
	v.expectAlive()
	v.kill(v.cmd.Process.Pid, unix.SIGKILL)
	v.expectGone()
}
