package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/filchsched/filch/cmd/filch/parallel"
)

// execute runs one command line and returns the exit code.
func execute(args []string, stdin *os.File, stdout, stderr *os.File) int {
	root := newRootCmd()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	return report(root.Execute(), stderr)
}

// An exitCode is an error that carries only the code to exit with: what there was
// to say has been said.
type exitCode int

func (c exitCode) Error() string { return fmt.Sprintf("exit code %d", int(c)) }

// report tells an error on stderr and returns the exit code for it.
func report(err error, stderr io.Writer) int {
	var code exitCode
	switch {
	case err == nil:
		return 0
	case errors.As(err, &code):
		return int(code)
	}
	fmt.Fprintf(stderr, "filch: %v\n", err)
	return parallel.ExitError
}

func newRootCmd() *cobra.Command {
	root := &cobra.Command{
		Use:           "filch",
		Short:         "Run many commands at once",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(newRunCmd())
	return root
}
