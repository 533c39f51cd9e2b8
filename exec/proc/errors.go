package proc

import (
	"errors"
	"fmt"
	"strconv"
	"syscall"
	"time"
)

// ErrSupervisorLost is the cause of a Failure: somebody killed the supervisor,
// and with it every command that ran. Whether such a command had done its work is
// unknown.
var ErrSupervisorLost = errors.New("the supervisor of the commands was killed, and so they were ended")

// Exit codes that a shell, env(1) and GNU parallel also use.
const (
	ExitTimeout       = 124 // stopped because its time was up
	ExitFilchFailed   = 125 // filch itself failed, see Failure
	ExitNotExecutable = 126 // found, but it cannot be executed
	ExitNotFound      = 127
)

// A StartError says that a command could not be started, through no fault of
// filch's: it is not there, is not executable, or does not fit. Another machine
// may well be able to run it.
type StartError struct {
	Name string // the command, as given
	Exit int    // ExitNotExecutable or ExitNotFound
	What string // what is wrong and what to do
	Err  error  // the cause, often a syscall.Errno; may be nil
}

func (e *StartError) Error() string { return strconv.Quote(e.Name) + ": " + e.What }
func (e *StartError) Unwrap() error { return e.Err }

// A Failure says that filch, not the command, failed: no file descriptors or
// processes left, or no room for output. Its exit code is ExitFilchFailed.
type Failure struct {
	Op  string // what filch tried to do, and what to do about it
	Err error
}

func (e *Failure) Error() string { return "filch: " + e.Op + ": " + e.Err.Error() }
func (e *Failure) Unwrap() error { return e.Err }

// An ExitError says that a command ran and failed.
type ExitError struct {
	Code   int
	Signal syscall.Signal // not 0: the signal that ended it
}

func (e *ExitError) Error() string {
	if e.Signal != 0 {
		return fmt.Sprintf("ended by signal %d (%v)", int(e.Signal), e.Signal)
	}
	return fmt.Sprintf("exit code %d", e.Code)
}

// A TimeoutError says that a command was stopped because its time was up. Its
// exit code is ExitTimeout, whatever the command made of that.
type TimeoutError struct {
	After time.Duration // Command.Timeout
}

func (e *TimeoutError) Error() string {
	return fmt.Sprintf("stopped after its time-out of %v", e.After)
}

// A MemoryError says that a command was killed because it used more memory than it was
// granted. Its exit code is that of a command ended by KILL.
type MemoryError struct {
	Limit int64 // bytes, Command.Memory
	Peak  int64 // bytes, as far as it was seen
}

func (e *MemoryError) Error() string {
	if e.Limit < 1<<20 {
		return fmt.Sprintf("killed because it used more than its %d bytes of memory (raise its memory limit)", e.Limit)
	}
	return fmt.Sprintf("killed because it used more than its %d MiB of memory (raise its memory limit)", e.Limit>>20)
}
