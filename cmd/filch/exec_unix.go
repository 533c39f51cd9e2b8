//go:build unix

package main

import (
	"os"
	"syscall"

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

// forCommand passes on those signals that the command has not got already.
func forCommand(signals <-chan os.Signal, to chan<- os.Signal) {
	for s := range signals {
		if fromTerminal[s] && inForeground() {
			continue
		}
		to <- s
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
