package main

import (
	"os/exec"
	"runtime"
	"syscall"
)

// diesWithUs makes the kernel kill the command when we are killed. It keeps our process group, so
// that a terminal that is ours is the command's too. The kernel means the thread that
// started it, which therefore must live as long as we do.
func diesWithUs(cmd *exec.Cmd) {
	runtime.LockOSThread()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
