package proc

import (
	"errors"
	"os/exec"
	"syscall"
	"time"
)

// strayDelay is how long the portable starter goes on reading after a command
// has ended, when processes that it left behind hold its streams open. What was
// written before the end is in the pipe and takes milliseconds; but on a machine with much more
// to do than it can, a tenth of a second was seen to be too short.
const strayDelay = time.Second

// portableStarter starts commands with os/exec: two goroutines a command and a
// fifth less throughput, on every system that Go knows.
type portableStarter struct{}

type portableProcess struct{ cmd *exec.Cmd }

func (portableStarter) start(l *launch) (process, error) {
	if l.umask >= 0 {
		return nil, errNeedsSupervisor("a umask of its own")
	}
	cmd := &exec.Cmd{
		Path: l.path, Args: l.argv, Env: l.env, Dir: l.dir,
		Stdin: l.stdin, Stdout: l.out, Stderr: l.err,
		WaitDelay: strayDelay, SysProcAttr: ownGroup(),
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return portableProcess{cmd}, nil
}

func (p portableProcess) wait() (ended, error) {
	err := p.cmd.Wait()
	ps := p.cmd.ProcessState
	if ps == nil {
		return ended{}, &Failure{Op: "lost sight of a command", Err: err}
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) && !errors.Is(err, exec.ErrWaitDelay) {
		return ended{}, &Failure{Op: "cannot read a command's output", Err: err}
	}
	ws := ps.Sys().(syscall.WaitStatus)
	ru, _ := ps.SysUsage().(*syscall.Rusage) // always there, on every system
	return endedOf(ws, ru), nil
}

func (p portableProcess) signal(sig syscall.Signal) bool { return signalGroup(p.cmd.Process, sig) }

func (p portableProcess) lives() bool { return p.signal(0) && groupLives(p.cmd.Process.Pid) }

func (p portableProcess) pid() int { return p.cmd.Process.Pid }

func (p portableProcess) release() {}
