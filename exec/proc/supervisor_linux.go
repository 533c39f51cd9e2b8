package proc

import (
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// supervisorName is what the supervisor is called in a list of processes,
	// and how a program that was started to be one knows it.
	supervisorName = "filch-supervisor"

	// supervisorSocket is the supervisor's descriptor of the line to filch.
	supervisorSocket = 3

	// spawners start commands at the same time. One of them sleeps in the
	// kernel until its command has been loaded; a second uses that time.
	spawners = 2

	// supervisorGC keeps the supervisor small, because a command's peak
	// memory can be told only if it is more than the supervisor's.
	supervisorGC = 20
)

// A supervisor is the process that starts commands and outlives filch by as
// long as it takes to end them. doc.go has the whole story.
type supervisor struct {
	socket int
	self   int

	// forking is held for reading from before a fork until the child is in
	// running. So whoever holds it for writing can tell a command from an orphan.
	forking sync.RWMutex

	mu      sync.Mutex  // guards running; taken inside forking
	running map[int]int // process number of a command → where to report its end

	forked chan struct{} // has an item after every fork: there may be a child to wait for
}

// supervise is the life of a supervisor. It returns the exit code.
func supervise() int {
	s := &supervisor{
		socket:  supervisorSocket,
		self:    os.Getpid(),
		running: make(map[int]int),
		forked:  make(chan struct{}, 1),
	}
	kind, err := unix.GetsockoptInt(s.socket, unix.SOL_SOCKET, unix.SO_TYPE)
	if err != nil || kind != unix.SOCK_SEQPACKET {
		os.Stderr.WriteString(supervisorName + ": filch starts this by itself; it is of no use otherwise\n")
		return ExitFilchFailed
	}
	unix.CloseOnExec(s.socket)
	if unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != nil {
		return ExitFilchFailed
	}
	debug.SetGCPercent(supervisorGC)
	outliveSignals()
	go s.reap()
	var spawning sync.WaitGroup
	for range spawners {
		spawning.Go(s.spawn)
	}
	spawning.Wait()
	s.end()
	return 0
}

// outliveSignals makes us immune to what a terminal, or the end of a session,
// sends: filch decides what that means for commands. Signals that are
// ignored already stay so, for commands inherit that.
func outliveSignals() {
	drop := make(chan os.Signal, 1)
	for _, sig := range []os.Signal{unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM, unix.SIGPIPE,
		unix.SIGTSTP, unix.SIGTTIN, unix.SIGTTOU, unix.SIGUSR1, unix.SIGUSR2, unix.SIGALRM} {
		if !signal.Ignored(sig) {
			signal.Notify(drop, sig) // caught, not ignored, so that commands have the default
		}
	}
}

// spawn starts commands until filch is gone. It has a thread to itself, whose
// umask and cgroups are changed for the time of a fork.
func (s *supervisor) spawn() {
	runtime.LockOSThread() // never unlocked: the thread's changes go with it
	ownUmask := unix.Unshare(unix.CLONE_FS) == nil
	in := inbox{socket: s.socket, buf: make([]byte, packetMax)}
	for {
		q, fds, err := in.next()
		if err != nil {
			return
		}
		s.start(q, fds, ownUmask)
		for _, fd := range fds {
			if fd >= 0 {
				unix.Close(fd)
			}
		}
	}
}

// start starts one command and reports that. It takes the report's descriptor out of
// fds if the command runs.
func (s *supervisor) start(q *request, fds []int, ownUmask bool) {
	report := fds[passedReport]
	s.forking.RLock()
	defer s.forking.RUnlock()
	if s.filchIsGone() {
		return
	}
	pid, err := forkAs(q, fds, ownUmask)
	if err != nil {
		errno, ok := err.(syscall.Errno)
		if !ok {
			errno = syscall.EINVAL
		}
		s.tell(report, encodeReport(started{Errno: int32(errno)}))
		return
	}
	s.tell(report, encodeReport(started{PID: int32(pid)}))
	fds[passedReport] = -1
	s.mu.Lock()
	s.running[pid] = report
	s.mu.Unlock()
	select {
	case s.forked <- struct{}{}:
	default:
	}
}

// filchIsGone spares us starting what a dead filch had asked for.
func (s *supervisor) filchIsGone() bool {
	fds := []unix.PollFd{{Fd: int32(s.socket), Events: unix.POLLRDHUP}}
	n, err := unix.Poll(fds, 0)
	return err == nil && n > 0 && fds[0].Revents&(unix.POLLRDHUP|unix.POLLHUP) != 0
}

// forkAs forks and executes q on this thread.
func forkAs(q *request, fds []int, ownUmask bool) (int, error) {
	attr := &syscall.ProcAttr{
		Dir:   q.dir,
		Env:   q.env,
		Files: []uintptr{uintptr(fds[passedStdin]), uintptr(fds[passedStdout]), uintptr(fds[passedStderr])},
		Sys:   &syscall.SysProcAttr{Setpgid: true},
	}
	if q.umask >= 0 {
		if !ownUmask {
			return 0, syscall.ENOSYS
		}
		defer unix.Umask(unix.Umask(q.umask))
	}
	return syscall.ForkExec(q.path, q.argv, attr)
}

// tell writes a report. Nobody may be there to read it, which is all right; the
// pipe never fills, for two reports are all that it gets.
func (s *supervisor) tell(report int, b []byte) {
	for {
		if _, err := unix.Write(report, b); err != unix.EINTR {
			return
		}
	}
}

// reap collects every child that ends, commands and orphans alike, and reports the commands.
func (s *supervisor) reap() {
	for {
		pid, err := firstZombie(0)
		switch err {
		case nil:
			s.collect(pid)
		case unix.EINTR:
		default: // ECHILD: we have no children at all
			<-s.forked
		}
	}
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

func (s *supervisor) collect(pid int) {
	report, isCommand := s.take(pid)
	if !isCommand {
		// It may be a command that is not in running yet.
		s.forking.Lock()
		s.forking.Unlock() //lint:ignore SA2001 all that matters is that forks under way are over
		report, isCommand = s.take(pid)
	}
	var ws syscall.WaitStatus
	var ru syscall.Rusage
	if _, err := syscall.Wait4(pid, &ws, 0, &ru); err != nil || !isCommand {
		return // ForkExec waits for its failures itself
	}
	var own syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &own)
	s.tell(report, encodeReport(finished{
		Status:       uint32(ws),
		User:         ru.Utime.Nano(),
		System:       ru.Stime.Nano(),
		MaxRSS:       int64(ru.Maxrss) * maxrssUnit(),
		Floor:        int64(own.Maxrss) * maxrssUnit(),
		BytesRead:    int64(ru.Inblock) * rusageBlock,
		BytesWritten: int64(ru.Oublock) * rusageBlock,
	}))
	unix.Close(report)
}

// rusageBlock is the unit of what Linux counts as input and output of a process.
const rusageBlock = 512

// take returns where to report the end of pid, if it is a command's.
func (s *supervisor) take(pid int) (report int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	report, ok = s.running[pid]
	delete(s.running, pid)
	return report, ok
}

// end ends everything that commands left, in the way a cancelled command ends.
// It returns when nothing is left, however long that takes.
func (s *supervisor) end() {
	if !anyChild() {
		return
	}
	for _, pid := range descendants(s.self, nil) {
		unix.Kill(pid, unix.SIGTERM)
		unix.Kill(pid, unix.SIGCONT)
	}
	late := time.Now().Add(grace)
	for look := groupLookFirst; anyChild() && time.Now().Before(late); look = min(2*look, groupLookMax) {
		time.Sleep(look)
	}
	for look := groupLookFirst; anyChild(); look = min(2*look, groupLookMax) {
		killAll(func() []int { return descendants(s.self, nil) })
		time.Sleep(look)
	}
}

// anyChild reports whether we have a child left, be it a zombie. As every orphan
// comes to us, there are no descendants either when there is none.
func anyChild() bool {
	_, err := firstZombie(unix.WNOHANG)
	return err == nil || err == unix.EINTR
}
