package main

import (
	"context"
	"os"
	"os/exec"
)

var passedOn = []os.Signal{os.Interrupt}

// passOn drops signals: the console has sent them to the command, too.
func passOn(signals <-chan os.Signal, _ *exec.Cmd) {
	for range signals {
	}
}

// stopExec kills cmd when ctx ends.
func stopExec(ctx context.Context, cmd *exec.Cmd) (stopped func() bool) {
	quit := context.AfterFunc(ctx, func() { cmd.Process.Kill() })
	return func() bool { return !quit() }
}
