package proc

import (
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// orphanLook is how often orphans that have ended are buried while commands run.
const orphanLook = time.Second

// lookLater sees to it that orphans that have ended are buried, so that they do
// not pile up: while commands run, and once after.
func (s *supervisor) lookLater() {
	if s.looking.CompareAndSwap(false, true) {
		time.AfterFunc(orphanLook, s.look)
	}
}

func (s *supervisor) look() {
	s.bury()
	s.looking.Store(false)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.running) > 0 {
		s.lookLater()
	}
}

// bury collects the orphans that have ended. Of the children that have, the kernel shows us
// one at a time without collecting it; at a command, whose end is its spawner's, bury stops, and
// leaves the rest for the next time.
func (s *supervisor) bury() {
	for {
		pid, err := firstZombie(unix.WNOHANG)
		if err == unix.EINTR {
			continue
		}
		if err != nil || pid == 0 || s.isCommand(pid) {
			return
		}
		syscall.Wait4(pid, nil, syscall.WNOHANG, nil)
	}
}

func (s *supervisor) isCommand(pid int) bool {
	s.forking.Lock() // it may be a command that is not in running yet
	defer s.forking.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.running[pid] != nil
}

// firstZombie returns a child that has ended. It stays a zombie, so that its number
// is not given away before we know what it was.
func firstZombie(flags int) (int, error) {
	var info unix.Siginfo
	if err := unix.Waitid(unix.P_ALL, 0, &info, unix.WEXITED|unix.WNOWAIT|flags, nil); err != nil {
		return 0, err
	}
	return siginfoPID(&info), nil
}

// siginfoPID is si_pid: the first field of a union that follows three ints and is aligned
// like a pointer.
func siginfoPID(info *unix.Siginfo) int {
	const at = (3*4 + unsafe.Sizeof(uintptr(0)) - 1) / unsafe.Sizeof(uintptr(0)) * unsafe.Sizeof(uintptr(0))
	return int(*(*int32)(unsafe.Add(unsafe.Pointer(info), at)))
}

// end ends everything that commands left, in the way a cancelled command ends.
// It returns when nothing is left, however long that takes.
func (s *supervisor) end() {
	s.forking.Lock()   // no command starts any more: filch is gone
	s.forking.Unlock() //lint:ignore SA2001 all that matters is that forks under way are over
	defer s.removeGroups()
	if !s.anyChild() {
		return
	}
	for _, pid := range descendants(s.self, nil) {
		unix.Kill(pid, unix.SIGTERM)
		unix.Kill(pid, unix.SIGCONT)
	}
	late := time.Now().Add(grace)
	for look := groupLookFirst; s.anyChild() && time.Now().Before(late); look = min(2*look, groupLookMax) {
		time.Sleep(look)
	}
	if s.anyChild() && s.run.leave() {
		s.run.kill() // all at once, if the kernel can; what it may have moved elsewhere is still below us
	}
	for look := groupLookFirst; s.anyChild(); look = min(2*look, groupLookMax) {
		killAll(func() []int { return descendants(s.self, nil) })
		time.Sleep(look)
	}
}

// removeGroups removes the cgroups that a dead filch cannot remove any more. They are empty then, but for
// ourselves.
func (s *supervisor) removeGroups() {
	s.groups.remove(s.filch)
	if s.run != nil && os.Getppid() != s.filch && s.run.leave() {
		s.run.remove()
	}
}

// anyChild buries orphans, and reports whether any child is left. As every
// orphan comes to us, there are no descendants either when there is none.
func (s *supervisor) anyChild() bool {
	s.bury()
	_, err := firstZombie(unix.WNOHANG)
	return err == nil || err == unix.EINTR
}
