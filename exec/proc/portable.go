package proc

import (
	"errors"
	"os/exec"
	"syscall"
)

// portableStarter starts commands with os/exec: two goroutines a command and a
// fifth less throughput, on every system that Go knows.
type portableStarter struct{}

type portableProcess struct {
	cmd        *exec.Cmd
	output     *drains
	foreground bool
}

func (portableStarter) start(l *launch) (process, error) {
	if l.umask >= 0 {
		return nil, errNeedsSupervisor("a umask of its own")
	}
	cmd := &exec.Cmd{Path: l.path, Args: l.argv, Env: l.env, Dir: l.dir, Stdin: l.stdin}
	if !l.foreground {
		cmd.SysProcAttr = ownGroup()
	}
	output, err := attach(cmd, l)
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		output.close()
		return nil, err
	}
	output.begin()
	return portableProcess{cmd, output, l.foreground}, nil
}

func (p portableProcess) wait() (ended, error) {
	err := p.cmd.Wait()
	lost := p.output.rest(err)
	ps := p.cmd.ProcessState
	if ps == nil {
		return ended{}, &Failure{Op: "lost sight of a command", Err: err}
	}
	var exit *exec.ExitError
	if lost == nil && err != nil && !errors.As(err, &exit) && !errors.Is(err, exec.ErrWaitDelay) {
		lost = err
	}
	if lost != nil {
		return ended{}, &Failure{Op: "cannot read a command's output", Err: lost}
	}
	ws := ps.Sys().(syscall.WaitStatus)
	ru, _ := ps.SysUsage().(*syscall.Rusage) // always there, on every system
	return endedOf(ws, ru), nil
}

func (p portableProcess) signal(sig syscall.Signal) bool {
	if p.foreground {
		return signalOne(p.cmd.Process, sig)
	}
	return signalGroup(p.cmd.Process, sig)
}

func (p portableProcess) lives() bool {
	return !p.foreground && p.signal(0) && groupLives(p.cmd.Process.Pid)
}

func (p portableProcess) pid() int { return p.cmd.Process.Pid }

func (p portableProcess) release() { p.output.release() }
