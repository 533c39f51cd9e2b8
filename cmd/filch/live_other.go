//go:build !unix

package main

import (
	"os/exec"
	"syscall"
)

const sigCONT = syscall.Signal(0)

func ownGroup(*exec.Cmd) {}

// signalGroup ends cmd: there are no gentler signals.
func signalGroup(cmd *exec.Cmd, sig syscall.Signal) {
	if sig == syscall.SIGKILL {
		cmd.Process.Kill()
	}
}
