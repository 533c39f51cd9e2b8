package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/filchsched/filch/cmd/filch/parallel"
	"github.com/filchsched/filch/exec/proc"
)

// execute runs one command line and returns the exit code.
func runCommandLine(args []string, stdin *os.File, stdout, stderr *os.File) int {
	root := newRootCmd()
	root.SetArgs(args)
	root.SetIn(stdin)
	out := &checked{w: stdout}
	root.SetOut(out)
	root.SetErr(stderr)
	err := root.Execute()
	if err == nil {
		err = out.err
	}
	return report(err, stderr)
}

// checked remembers that a write failed: cobra prints help and does not look.
type checked struct {
	w   io.Writer
	err error
}

func (c *checked) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	if err != nil && c.err == nil {
		c.err = fmt.Errorf("cannot write to standard output: %w", err)
	}
	return n, err
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
	text := strings.Replace(err.Error(), ": filch: ", ": ", 1) // package proc's errors are whole lines
	fmt.Fprintf(stderr, "filch: %s\n", strings.TrimPrefix(text, "filch: "))
	if errors.As(err, new(failedBefore)) {
		return proc.ExitFilchFailed
	}
	return parallel.ExitError
}

const rootLong = `filch runs many commands at once. On one machine it needs no set-up:

  filch run gzip -9k {} ::: *.log          one command per file, as many as there are CPUs
  find . -name '*.png' | filch run 'convert {} {.}.jpg'
  filch run -j4 -k --tag ping -c1 {} :::: hosts

  filch exec make test                     one command, as if filch were not there

The syntax of run is GNU parallel's; "filch help run" tells the rest, and
"filch completion --help" how your shell completes it.`

func newRootCmd() *cobra.Command {
	root := &cobra.Command{
		Use:           "filch",
		Short:         "Run many commands at once",
		Long:          rootLong,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetFlagErrorFunc(explainFlagError)
	root.AddCommand(newRunCmd(), newExecCmd(), newTopologyCmd(), newVersionCmd())
	root.AddCommand(newSubmitCmd(), newJobsCmd(), newWaitCmd(), newCancelCmd(), newExplainCmd(), newStealsCmd(), newDecideCmd())
	root.AddCommand(newUpCmd(), newNodesCmd(), newLeaveCmd(), newJoinStringCmd(), newDoctorCmd())
	root.AddCommand(newTestbedCmd())
	return root
}
