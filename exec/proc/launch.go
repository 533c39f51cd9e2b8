package proc

import (
	"errors"
	"os"
	"syscall"
	"time"
)

// A launch is a Command made ready: the path is resolved, the environment is
// whole, and there is somewhere for the output to go.
type launch struct {
	path  string // as the child sees it, that is relative to dir
	argv  []string
	env   []string
	dir   string // "" is ours
	umask int    // -1 is ours
	stdin *os.File

	// What leads into the cgroups to be started in: the directory, if unified, else
	// the tasks files of each and of our own, in turn.
	entrances []*os.File
	unified   bool
	out, err  outlet

	foreground bool // in our process group
	leash      *Leash
	signals    <-chan os.Signal
	gone       chan struct{} // closed when the command was stopped and its time to end is over
}

// A starter turns a launch into a running process that leads a process group of
// its own, if it is not to stay in ours. This is the seam for supervision: a starter that enters every
// command into a cgroup, or has another process do the spawning, is another
// starter. Errors are the operating system's own (syscall.Errno), or a *Failure
// where filch itself is at fault; explain makes sentences of the former.
//
// start is called by many goroutines at once.
type starter interface {
	start(l *launch) (process, error)
}

// A process is a command that was started.
type process interface {
	// wait blocks until the command itself has ended, while it moves what the
	// command prints to the sinks. Whatever else may still hold the streams
	// open, wait returns then, with all that was written by then. It is called
	// once, and the sinks belong to it until it returns. An error that is a syscall.Errno
	// says that the command did not start after all: start need not wait until it knows.
	wait() (ended, error)

	// signal sends sig to every process of the group, or to the command alone if it is in ours. It may be called at any
	// time until release, concurrently with wait and after it; it reports
	// whether anything is left that can be signalled, zombies included.
	signal(sig syscall.Signal) bool

	// pid is the number of the process, or not above 0 if it has not started. It may be called
	// at any time until release.
	pid() int

	// lives reports whether a process of the command's group runs. It is for after wait.
	lives() bool

	// release frees what the process held. It is called once, after wait.
	release()
}

// An ended says how a command ended and what it took.
type ended struct {
	exit         int
	sig          syscall.Signal // not 0: what killed it
	user, system time.Duration
	maxMemory    int64 // bytes, 0 where it is not known

	bytesRead, bytesWritten int64 // from and to storage

	leashed bool // it was told to end because its leash was over
}

// errNeedsSupervisor is for starters that cannot do what a supervisor can.
func errNeedsSupervisor(what string) error {
	return &Failure{Op: "cannot give a command " + what + " in a program without a supervisor", Err: errors.ErrUnsupported}
}
