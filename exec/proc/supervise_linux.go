package proc

import (
	"os"
	"sync/atomic"
)

// mayReexec says that this program knows what to do when it is started as a supervisor.
var mayReexec atomic.Bool

// Supervise lets this program supervise the commands that it runs. It must be
// called before anything else that matters: first in main, or TestMain, or in an
// init function. If the process was started to be a supervisor, Supervise does
// not return. Else it returns at once, and from then on a Runner starts its
// commands through a supervisor, so that none of them outlives this process however it dies.
// It is a no-op on systems that have no supervisor.
//
// Whoever calls it leaves this process's children to package proc in one
// emergency: when a supervisor is killed, its orphans become children of this
// process, all of them are ended, and a child that the program started by other
// means cannot be told from them.
func Supervise() {
	if len(os.Args) == 2 && os.Args[0] == supervisorName {
		os.Exit(supervise())
	}
	mayReexec.Store(true)
}
