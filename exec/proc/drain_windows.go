package proc

import (
	"errors"
	"fmt"
	"io"
	"os/exec"
	"time"
)

// strayDelay is how long output is read on after a command has ended, when processes that
// it left behind hold its streams open. What is in a pipe cannot be told from what they
// write, and so the output counts as lost then.
const strayDelay = time.Second

// drains are os/exec's goroutines.
type drains struct{}

// attach gives cmd its output.
func attach(cmd *exec.Cmd, l *launch) (*drains, error) {
	cmd.WaitDelay = strayDelay
	for _, s := range []struct {
		outlet
		is *io.Writer
	}{{l.out, &cmd.Stdout}, {l.err, &cmd.Stderr}} {
		if *s.is = s.file; s.file == nil {
			*s.is = s.to
		}
	}
	return nil, nil
}

func (*drains) begin()   {}
func (*drains) close()   {}
func (*drains) release() {}

// rest says whether output may be missing, from what Wait returned.
func (*drains) rest(err error) error {
	if errors.Is(err, exec.ErrWaitDelay) {
		return fmt.Errorf("it may be incomplete, for the command left a process behind that holds it open: %w", err)
	}
	return nil
}
