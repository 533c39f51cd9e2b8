package main

import (
	"strings"

	"github.com/filchsched/filch/exec/proc"
)

// A shellChoice is the shell of a run.
type shellChoice struct {
	name   string // "" is sh, as package proc finds it
	always bool   // even for a command without shell syntax
}

// chooseShell chooses the shell for commands of which the program is called program. parallel takes
// the shell that it was called from; that makes a script depend on who runs it, so
// here it is sh, with two exceptions that scripts for parallel rely on:
//
//   - PARALLEL_SHELL names the shell.
//   - Functions that bash exported (export -f) are known to bash only, so bash it
//     is when there are any; and if program is one of them, there has to be a shell.
func chooseShell(environ []string, program string) shellChoice {
	var c shellChoice
	functions := false
	for _, kv := range environ {
		name, value, _ := strings.Cut(kv, "=")
		if name == "PARALLEL_SHELL" {
			c.name = value
		}
		if f, ok := strings.CutPrefix(name, "BASH_FUNC_"); ok {
			functions = true
			c.always = c.always || strings.TrimSuffix(f, "%%") == program
		}
	}
	if functions && c.name == "" {
		c.name = "bash"
	}
	return c
}

// command is what executes a line with c. A blank keeps a line that begins with "-"
// or "+" from being taken for options.
func (c shellChoice) command(line string) proc.Command {
	if strings.HasPrefix(line, "-") || strings.HasPrefix(line, "+") {
		line = " " + line
	}
	return proc.Command{Argv: []string{c.name, "-c", line}}
}
