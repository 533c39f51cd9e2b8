package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// escaping starts processes that try to get away, each of which writes its number into a file in
// directory $0, and is one of them.
const escaping = `
sh -c 'echo $$ >$0/background; exec sleep 1000' $0 &
(sh -c 'echo $$ >"$0/double fork"; exec sleep 1000' $0 & ) &
setsid sh -c 'echo $$ >$0/setsid; exec sleep 1000' $0 &
(env -i PATH=$PATH setsid sh -c 'trap "" TERM HUP; (sh -c "echo \$PPID" >"$0/setsid, double fork, env -i"; while :; do sleep 1000; done) & ' $0 & ) &
sh -c 'echo $$ >$0/stopped; kill -STOP $$' $0 &
`

const (
	escapingAndStays = escaping + `echo $$ >$0/plain; exec sleep 1000`
	escapingAndEnds  = escaping + `until [ $(cat $0/* | wc -l) -ge 5 ]; do sleep 0.01; done; exit 4`
)

// filchModes are the ways of filch to run a command, by where its output goes.
var filchModes = map[string][]string{
	"run":               {"run"},
	"run --ungroup":     {"run", "--ungroup"},
	"run --line-buffer": {"run", "--line-buffer"},
	"exec":              {"exec"},
}

// escapees runs script in filch and returns that and pidfds of its processes, n in all.
func escapees(t *testing.T, mode []string, script string, n int) (*exec.Cmd, map[string]int) {
	t.Helper()
	dir := t.TempDir()
	args := append(mode[:len(mode):len(mode)], "sh", "-c", script, dir)
	if mode[0] == "run" {
		args = append(mode[:len(mode):len(mode)], "-q", "-n0", "sh", "-c", script, dir, ":::", "x")
	}
	cmd := filch(t, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	fds := make(map[string]int)
	eventually(t, "all processes have said their number", func() bool {
		files, _ := os.ReadDir(dir)
		for _, f := range files {
			text, _ := os.ReadFile(filepath.Join(dir, f.Name()))
			pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
			if err != nil || fds[f.Name()] != 0 {
				continue
			}
			fd, err := unix.PidfdOpen(pid, 0)
			if err != nil {
				t.Fatalf("%s: process %d: %v", f.Name(), pid, err)
			}
			fds[f.Name()] = fd
			t.Cleanup(func() { unix.Close(fd) })
		}
		return len(fds) == n
	})
	return cmd, fds
}

// expectEnded fails for what is alive after a while, and kills it.
func expectEnded(t *testing.T, fds map[string]int, whoDied string) {
	t.Helper()
	late := time.Now().Add(20 * time.Second)
	for name, fd := range fds {
		poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		for poll[0].Revents == 0 && time.Now().Before(late) {
			unix.Poll(poll, int(max(1, time.Until(late).Milliseconds())))
		}
		if poll[0].Revents == 0 {
			t.Errorf("%s: alive after the death of %s", name, whoDied)
			unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0)
		}
	}
}

// supervisorBelow is the supervisor of the filch with number pid.
func supervisorBelow(t *testing.T, pid int) int {
	t.Helper()
	found := 0
	eventually(t, "there is a supervisor", func() bool {
		tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
		for _, path := range tasks {
			children, _ := os.ReadFile(path)
			for _, child := range strings.Fields(string(children)) {
				line, _ := os.ReadFile("/proc/" + child + "/cmdline")
				if strings.HasPrefix(string(line), "filch-supervisor") {
					found, _ = strconv.Atoi(child)
				}
			}
		}
		return found != 0
	})
	return found
}

// Whoever dies, filch or its supervisor, and in whatever way output goes: no command is left.
func TestNoOrphans(t *testing.T) {
	for name, mode := range filchModes {
		for _, kill := range []struct {
			who  string
			sigs []syscall.Signal
		}{
			{"filch", []syscall.Signal{syscall.SIGKILL}},
			{"filch", []syscall.Signal{syscall.SIGSTOP, syscall.SIGKILL}},
			{"supervisor", []syscall.Signal{syscall.SIGKILL}},
		} {
			t.Run(fmt.Sprintf("%s, %v of the %s", name, kill.sigs, kill.who), func(t *testing.T) {
				t.Parallel()
				cmd, fds := escapees(t, mode, escapingAndStays, 6)
				pid := cmd.Process.Pid
				supervisor := supervisorBelow(t, pid)
				if kill.who == "supervisor" {
					pid = supervisor
				}
				for _, sig := range kill.sigs {
					if err := syscall.Kill(pid, sig); err != nil {
						t.Fatal(err)
					}
				}
				expectEnded(t, fds, fmt.Sprintf("the %s, process %d", kill.who, pid))
				err := cmd.Wait()
				if code := cmd.ProcessState.ExitCode(); kill.who == "supervisor" && (code == 0 || code < 0) {
					t.Errorf("the command was lost, and filch says %d, %v", code, err)
				}
			})
		}
	}
}

// What a command leaves behind is gone when filch has ended by itself.
func TestNothingIsLeftBehind(t *testing.T) {
	for name, mode := range filchModes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd, fds := escapees(t, mode, escapingAndEnds, 5)
			cmd.Wait()
			if code := cmd.ProcessState.ExitCode(); mode[0] == "exec" && code != 4 {
				t.Errorf("exit code %d", code)
			}
			for what, fd := range fds { // at once
				poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
				if n, _ := unix.Poll(poll, 0); n == 0 {
					t.Errorf("%s: alive after the end of filch, process %d", what, cmd.Process.Pid)
					unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0)
				}
			}
		})
	}
}

// Output that goes out at once comes from commands that are like any other: variables, time-outs, exit codes.
func TestLiveCommandsAreLikeOthers(t *testing.T) {
	for _, flag := range []string{"--ungroup", "--line-buffer", "--quiet"} {
		out, errs, code := finish(t, filch(t, "run", flag, "-j1", "--job", "me", "--cores", "1",
			`echo $FILCH_TASK_ID $FILCH_JOB_ID $FILCH_ATTEMPT $OMP_NUM_THREADS; exit {}`, ":::", "0", "3"))
		if out != "1 me 1 1\n2 me 1 1\n" || code != 1 {
			t.Errorf("%s: %q, %q, %d", flag, out, errs, code)
		}
		out, errs, code = finish(t, filch(t, "run", flag, "--timeout", "0.2", `echo a; sleep 1000`, ":::", "0"))
		if out != "a\n" || code != 1 || !strings.Contains(errs, "time-out") {
			t.Errorf("%s: %q, %q, %d", flag, out, errs, code)
		}
		_, errs, code = finish(t, filch(t, "run", flag, "no-such-command", ":::", "0"))
		if code != 1 || !strings.Contains(errs, "not found") {
			t.Errorf("%s: %q, %d", flag, errs, code)
		}
	}
}
