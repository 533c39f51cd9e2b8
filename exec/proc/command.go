package proc

import (
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

	// Timeout is how long the command may run, counted from its start. Then it is stopped
	// as if it were cancelled, and its end is a *TimeoutError. 0 is for ever.
	Timeout time.Duration

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
