package proc

import (
	"io"
	"os"
	"strconv"
	"time"

	"github.com/filchsched/filch/exec/task"
)

// A Command says what to execute and in which surroundings. The zero value of
// each field is the usual case; a Command is a plain value and may be copied.
type Command struct {
	Argv  []string // executed directly when Shell is ""
	Shell string   // a script for `sh -c` when not ""
	Dir   string   // working directory; "" is the caller's
	Env   []string // nil: the caller's as New found it; else the whole environment, "NAME=value"
	Stdin *os.File // nil: Input, or /dev/null. The caller keeps ownership

	AddEnv []string // "NAME=value" each, on top of Env, in whose place they come
	Input  []byte   // what standard input holds when Stdin is nil
	Umask  *int     // nil: the caller's. Needs a supervisor

	// Stdout and Stderr are where output goes while the command runs; nil: it is captured, and the
	// Result has it. An *os.File the command gets for its own and writes to without us. Into any other
	// Writer we write what the command wrote, in order and as it arrives, some 64 KiB at a time at most.
	// While a Write has not returned the command can write as much as a pipe holds, and then waits.
	// The two Writers may be called at the same time.
	//
	// Run returns when everything has been written. After an error of a Writer the command finds
	// its stream closed (SIGPIPE), and the end is a *Failure. When the command was stopped, Run waits for
	// a Write for as long as a command has to end, and then returns without it; only
	// then a Writer may still be at work after Run.
	Stdout, Stderr io.Writer

	// Foreground leaves the command in the caller's process group, for one that is to have the
	// caller's terminal: what the terminal sends (INT, TSTP, …) reaches both, and both stop and
	// go on as one job of a shell. Then what ends the command goes to its first process alone. What
	// it started is then left behind, and ended by Close.
	Foreground bool

	// Signals are sent to the command as they come, while it runs; one that comes before it has
	// started, as soon as it has. nil is none.
	Signals <-chan os.Signal

	// Timeout is how long the command may run, counted from its start. Then it is stopped
	// as if it were cancelled, and its end is a *TimeoutError. 0 is for ever.
	Timeout time.Duration

	// Leash is a deadline that may move. A command that it ended is cancelled, with ErrLeash. nil is none.
	Leash *Leash

	// Cores and Memory (bytes) are what the command was granted; 0 where that was not said.
	// OMP_NUM_THREADS and GOMAXPROCS tell it the cores, unless the environment has them
	// already. Runner.Limits says how the grant is enforced.
	Cores  int
	Memory int64

	// What the command sees of itself as FILCH_TASK_ID, FILCH_JOB_ID and FILCH_ATTEMPT, the
	// last one being Attempt.N. What is zero is not set.
	Task    task.ID
	Job     string
	Attempt task.Attempt

	// line is what Parse made Argv from. Run falls back to the shell with it
	// when only the shell can know what the first word means.
	line string
}

// variables are what c adds to the environment env.
func (c *Command) variables(env []string) []string {
	var add []string
	if c.Cores > 0 {
		for _, name := range []string{"OMP_NUM_THREADS", "GOMAXPROCS"} {
			if !hasVariable(env, name) {
				add = append(add, name+"="+strconv.Itoa(c.Cores))
			}
		}
	}
	if c.Task != 0 {
		add = append(add, "FILCH_TASK_ID="+strconv.FormatUint(uint64(c.Task), 10))
	}
	if c.Job != "" {
		add = append(add, "FILCH_JOB_ID="+c.Job)
	}
	if c.Attempt.N != 0 {
		add = append(add, "FILCH_ATTEMPT="+strconv.FormatUint(uint64(c.Attempt.N), 10))
	}
	return append(add, c.AddEnv...) // last, for the user has the last word
}
