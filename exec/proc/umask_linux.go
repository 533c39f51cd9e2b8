package proc

import (
	"sync"

	"golang.org/x/sys/unix"
)

// processUmask is held for writing by whoever has changed the umask of the whole process for the time of a fork, and
// for reading by those who fork with the umask that it has.
var processUmask sync.RWMutex

// umaskTurn is for threads that cannot have an umask of their own: the filters that container engines put on system calls
// forbid unshare. It gives the process an umask, if it is none below 0, until the function that it returns is called. Forks with an umask then
// wait for each other, and no other fork happens meanwhile.
func umaskTurn(mask int) (end func()) {
	if mask < 0 {
		processUmask.RLock()
		return processUmask.RUnlock
	}
	processUmask.Lock()
	before := unix.Umask(mask)
	return func() {
		unix.Umask(before)
		processUmask.Unlock()
	}
}
