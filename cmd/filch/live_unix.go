//go:build unix

package main

import (
	"os/exec"
	"syscall"
)

const sigCONT = syscall.SIGCONT

// ownGroup makes cmd the leader of a process group, so that all of it can be ended.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// signalGroup sends sig to the group of cmd, which has been started.
func signalGroup(cmd *exec.Cmd, sig syscall.Signal) { syscall.Kill(-cmd.Process.Pid, sig) }
