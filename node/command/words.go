package command

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/filchsched/filch/exec/proc"
	"github.com/filchsched/filch/exec/task"
)

// Limits of what travels. The kernel's own are lower for most: 128 KiB for an argument, 6 MiB
// for all of them and the environment.
const (
	// MaxHeader and MaxBody are the longest encodings, in bytes.
	MaxHeader = 1 << 20
	MaxBody   = 8 << 20
	// MaxResult is the longest encoding of a Result.
	MaxResult = MaxInline + 16<<10
	// MaxInline is how much output, both streams together, a Result holds itself.
	MaxInline = 32 << 10

	maxEnv    = 1 << 16 // variables
	maxArgs   = 1 << 20
	maxPath   = 4096
	maxName   = 1024 // of a job, or host
	maxReason = 4096 // longer ones are cut
)

// The names of a command's outputs in package steal.
const (
	Stdout = 1
	Stderr = 2
)

// Details of a State, as they are told to people and programs.
const (
	Timeout     = "timeout"
	OutOfMemory = "out_of_memory"
)

// A Header is what the commands of a job have in common.
type Header struct {
	Dir      string        // absolute; "" with Anywhere
	Anywhere bool          // in a scratch directory
	Env      []string      // "NAME=value": the whole environment, or with Anywhere what is added to the little there is
	Umask    int           // negative: that of the node
	Timeout  time.Duration // 0: none
	Cores    int           // 0: not said
	Memory   int64         // bytes; 0: not said
	Job      string        // its name, for FILCH_JOB_ID; may be ""
}

// A Body is one command.
type Body struct {
	// Argv is executed directly. If Line is there, too, the shell gets that instead where the
	// two would not do the same: see proc.Words.
	Argv    []string
	Line    string        // for the shell, if Argv is empty
	Seq     uint64        // number of the task, from 1; for FILCH_TASK_ID
	Attempt uint32        // number of the try, from 1; for FILCH_ATTEMPT
	Timeout time.Duration // 0: the header's
}

// A Result is what a command ended in. Stdout and Stderr are there if both are short; else
// OutLen and ErrLen say how long the outputs are that travel beside it.
type Result struct {
	State  task.State // Done or Failed
	Detail string     // Timeout, OutOfMemory, or ""
	Exit   int
	Signal int
	Reason string // why it failed, if it could not say so itself
	Host   string // name of the node that ran it
	Start  time.Time
	Wall   time.Duration
	Usage  task.Usage

	OutLen, ErrLen int64
	Inline         bool
	Stdout, Stderr []byte
}

// command is what a runner executes for the task.
func (h *Header) command(b *Body) proc.Command {
	c := proc.Command{Argv: b.Argv, Shell: b.Line}
	if len(b.Argv) > 0 {
		c = proc.Command{Argv: b.Argv}
		if b.Line != "" {
			c = proc.Words(b.Argv, b.Line)
		}
	}
	c.Timeout = h.Timeout
	if b.Timeout > 0 {
		c.Timeout = b.Timeout
	}
	c.Cores, c.Memory = h.Cores, h.Memory
	c.Task, c.Job = task.ID(b.Seq), h.Job
	c.Attempt.N = b.Attempt
	return c
}

func (h *Header) check() error {
	switch {
	case h.Anywhere && h.Dir != "":
		return errors.New("a directory for a command that runs anywhere")
	case !h.Anywhere && (!filepath.IsAbs(h.Dir) || len(h.Dir) > maxPath):
		return fmt.Errorf("the directory %.80q is not an absolute path", h.Dir)
	case strings.IndexByte(h.Dir, 0) >= 0:
		return errors.New("a directory with a NUL byte in its name")
	case h.Umask < -1 || h.Umask > 0o777:
		return fmt.Errorf("the umask %d", h.Umask)
	case h.Timeout < 0, h.Cores < 0, h.Memory < 0:
		return errors.New("a need or a time-out that is negative")
	case len(h.Job) > maxName:
		return fmt.Errorf("a job's name of %d bytes: at most %d", len(h.Job), maxName)
	}
	for _, kv := range h.Env {
		if i := strings.IndexByte(kv, '='); i <= 0 || strings.IndexByte(kv, 0) >= 0 {
			return fmt.Errorf("%.40q is not a variable of an environment", kv)
		}
	}
	return nil
}

func (b *Body) check() error {
	switch {
	case len(b.Argv) == 0 && b.Line == "":
		return errors.New("neither words nor a line")
	case len(b.Argv) > 0 && b.Argv[0] == "":
		return errors.New("a program without a name")
	case b.Timeout < 0:
		return errors.New("a time-out that is negative")
	}
	return nil
}

func (r *Result) check() error {
	switch {
	case r.State != task.Done && r.State != task.Failed:
		return fmt.Errorf("the state %v", r.State)
	case r.Detail != "" && r.Detail != Timeout && r.Detail != OutOfMemory:
		return fmt.Errorf("the detail %.40q", r.Detail)
	case r.OutLen < 0, r.ErrLen < 0, r.Wall < 0:
		return errors.New("a length or a time that is negative")
	case r.Inline && (int64(len(r.Stdout)) != r.OutLen || int64(len(r.Stderr)) != r.ErrLen || r.OutLen+r.ErrLen > MaxInline):
		return errors.New("an output of another length than it says")
	case !r.Inline && len(r.Stdout)+len(r.Stderr) > 0:
		return errors.New("an output that was to travel beside it")
	}
	return nil
}
