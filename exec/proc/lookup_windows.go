package proc

import "os/exec"

// find leaves it to os/exec, which knows PATHEXT.
func (e *environment) find(name, dir string) (string, error) { return exec.LookPath(name) }

func isTwin(string) bool { return false }

func findShell() (string, error) { return exec.LookPath("sh") }
