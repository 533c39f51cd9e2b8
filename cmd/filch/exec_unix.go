//go:build unix

package main

import (
	"context"
	"os"
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// passedOn are the signals that a command gets from us. Not among them: what cannot be
// caught, what means ourselves (CHLD, URG of the Go runtime), and what stops and
// continues a job, which the terminal sends to the command as well.
var passedOn = []os.Signal{
	syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGUSR1, syscall.SIGUSR2,
	syscall.SIGALRM, syscall.SIGPIPE, syscall.SIGWINCH,
}

// fromTerminal are those that a terminal sends to its whole foreground group, and so to
// the command itself.
var fromTerminal = map[os.Signal]bool{syscall.SIGINT: true, syscall.SIGQUIT: true, syscall.SIGWINCH: true}

// passOn passes signals on to cmd.
func passOn(signals <-chan os.Signal, cmd *exec.Cmd) {
	for s := range signals {
		if fromTerminal[s] && inForeground() {
			continue
		}
		cmd.Process.Signal(s)
	}
}

// inForeground reports whether our process group has the terminal.
func inForeground() bool {
	tty, err := os.Open("/dev/tty")
	if err != nil {
		return false
	}
	defer tty.Close()
	group, err := unix.IoctlGetInt(int(tty.Fd()), unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}

// stopExec ends cmd when ctx ends: TERM, and KILL after the grace period. It is in our own process
// group, so it alone can be signalled. The function that it returns must be called when cmd has
// ended; it reports whether cmd was stopped.
func stopExec(ctx context.Context, cmd *exec.Cmd) (stopped func() bool) {
	over := make(chan struct{})
	quit := context.AfterFunc(ctx, func() {
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Process.Signal(syscall.SIGCONT)
		select {
		case <-over:
		case <-time.After(liveGrace):
			cmd.Process.Kill()
		}
	})
	return func() bool {
		close(over)
		return !quit()
	}
}
