package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A terminal is our end of a pseudo-terminal.
type terminal struct {
	t    *testing.T
	keys *os.File
	mu   sync.Mutex // guards seen
	seen string     // what was on the screen and has not been expected yet
}

// onTerminal starts cmd on a terminal of its own.
func onTerminal(t *testing.T, cmd *exec.Cmd) *terminal {
	t.Helper()
	keys, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skip("there are no pseudo-terminals here: ", err)
	}
	number, err := unix.IoctlGetInt(int(keys.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(keys.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		t.Skip("there are no pseudo-terminals here: ", err)
	}
	tty, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer tty.Close()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	cmd.WaitDelay = 0
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	term := &terminal{t: t, keys: keys}
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := keys.Read(buf)
			term.mu.Lock()
			term.seen += string(buf[:n])
			term.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		killSession(cmd.Process.Pid) // of a test that failed jobs may be stopped, which only KILL ends
		cmd.Process.Kill()
		cmd.Wait()
		keys.Close()
	})
	return term
}

// killSession kills what is in the session that leader began, if that is still there.
func killSession(leader int) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		text, _ := os.ReadFile(path)
		f := strings.Fields(string(text[max(0, strings.LastIndexByte(string(text), ')')):]))
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil && len(f) > 4 && f[4] == strconv.Itoa(leader) {
			syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

// press types.
func (term *terminal) press(keys string) {
	term.t.Helper()
	if _, err := term.keys.WriteString(keys); err != nil {
		term.t.Fatal(err)
	}
}

// expect waits until the screen shows what, and forgets everything before it.
func (term *terminal) expect(what string) {
	term.t.Helper()
	for late := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		term.mu.Lock()
		_, after, found := strings.Cut(term.seen, what)
		if found {
			term.seen = after
		}
		seen := term.seen
		term.mu.Unlock()
		if found {
			return
		}
		if time.Now().After(late) {
			term.t.Fatalf("no %q on the screen: %q", what, seen)
		}
	}
}

// A command has the terminal: it reads from it, and Ctrl-C is its own.
func TestExecOnTerminal(t *testing.T) {
	cmd := filch(t, "exec", "sh", "-c", `test -t 0 && test -t 1 && echo ready; read a; echo "<$a>"; trap "exit 9" INT; echo again; while :; do sleep 0.02; done`)
	term := onTerminal(t, cmd)
	term.expect("ready")
	term.press("hello\n")
	term.expect("<hello>")
	term.expect("again")
	term.press("\x03")
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 9 {
		t.Errorf("exit code %d", code)
	}
}

// Under a shell with job control filch and its command are one job: Ctrl-Z stops both, fg and bg
// go on, in the background a reader of the terminal is stopped, and so is filch.
func TestExecIsOneJob(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip(err)
	}
	self := filch(t)
	cmd := exec.Command(bash, "--norc", "--noprofile", "-i")
	cmd.Env = append(self.Env, "PS1=ready>", "SELF="+self.Path, "HISTFILE=", "TERM=dumb")
	term := onTerminal(t, cmd)
	term.expect("ready>")
	term.press("set -b\n") // tell of a job that stops at once, not at the next prompt
	term.expect("ready>")
	term.press("$SELF exec cat\n")
	term.expect("exec cat\r\n")
	term.press("one\n")
	term.expect("one\r\none\r\n")
	term.press("\x1a")
	term.expect("Stopped")
	term.expect("ready>")
	term.press("bg\n")
	term.expect("Stopped") // cat wants to read
	term.press("\n")
	term.expect("ready>")
	term.press("fg\n")
	term.expect("exec cat\r\n")
	term.press("two\n")
	term.expect("two\r\ntwo\r\n")
	term.press("\x04")
	term.expect("ready>")
	term.press("echo code=$?\n")
	term.expect("code=0\r\n")
	term.press("exit\n")
	cmd.Wait()
}

// A shell in filch exec has job control itself, and what it leaves in the background ends with it.
func TestExecOfInteractiveShell(t *testing.T) {
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip(err)
	}
	cmd := filch(t, "exec", "bash", "--norc", "--noprofile", "-i")
	cmd.Env = append(cmd.Env, "PS1=ready>", "HISTFILE=", "TERM=dumb")
	term := onTerminal(t, cmd)
	term.expect("ready>")
	term.press("sh -c 'echo up; exec sleep 1000'\n")
	term.expect("\r\nup\r\n") // by then it has the terminal; the shell itself ignores the key
	term.press("\x1a")
	term.expect("Stopped")
	term.press("bg; set -b; echo pid=$!.\n")
	term.expect("pid=$!.\r\n")
	term.expect("pid=")
	term.expect("ready>")
	term.press("sh -c 'echo there; exec cat'\n")
	term.expect("\r\nthere\r\n")
	term.press("\x03")
	term.expect("ready>")
	term.press("exit 7\n")
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 7 {
		t.Errorf("exit code %d", code)
	}
}

// A program that stops itself, as a pager does that was told to by a key, is a stopped job.
func TestExecStopsWithItsCommand(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip(err)
	}
	self := filch(t)
	cmd := exec.Command(bash, "--norc", "--noprofile", "-i")
	cmd.Env = append(self.Env, "PS1=ready>", "SELF="+self.Path, "HISTFILE=", "TERM=dumb")
	term := onTerminal(t, cmd)
	term.expect("ready>")
	term.press("$SELF exec sh -c 'kill -TSTP $$; echo went on'\n")
	term.expect("\r\n")
	term.expect("Stopped")
	term.expect("ready>")
	term.press("fg\n")
	term.expect("\r\nwent on\r\n")
	term.expect("ready>")
	term.press("exit\n")
	cmd.Wait()
}
