package proc

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A line is one supervisor process as filch sees it, from its start to its end.
type line struct {
	mu    sync.RWMutex // held for reading to use fd, for writing to close it
	fd    int          // our end of the socket; -1 when closed
	pid   int
	board *board
	group *runGroup     // nil: none
	gone  chan struct{} // closed when the supervisor and everything below it have ended
}

// lines are the supervisors of this process: the children that an emergency spares.
// The lock is held while one is started and while orphans are ended, so that
// no supervisor is taken for an orphan.
var lines struct {
	sync.Mutex
	pids map[int]bool
}

// newLine starts a supervisor. It does not wait until that
// is ready: requests wait in the socket.
func newLine(group *runGroup) (*line, error) {
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	theirs := os.NewFile(uintptr(ends[1]), "supervisor")
	defer theirs.Close()
	board, file, err := newBoard()
	if err != nil {
		unix.Close(ends[0])
		return nil, err
	}
	defer file.Close()
	lines.Lock()
	defer lines.Unlock()
	pid, err := startSupervisor(theirs, file, group)
	if err != nil {
		unix.Close(ends[0])
		board.close()
		return nil, err
	}
	if lines.pids == nil {
		lines.pids = make(map[int]bool)
	}
	lines.pids[pid] = true
	l := &line{fd: ends[0], pid: pid, board: board, group: group, gone: make(chan struct{})}
	go l.watch()
	return l, nil
}

// startSupervisor returns the number of the process. The first process that package os starts
// takes it half a millisecond more to find out what the kernel can do.
func startSupervisor(socket, board *os.File, group *runGroup) (int, error) {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return 0, err
	}
	null, err := unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(null)
	// The Go runtime has a thread that wakes every 20 µs while a program works, to look for threads
	// that wait in the kernel. In the supervisor all do, and it may take its time: with
	// that thread's sleep rounded up, a command costs a tenth less CPU time. Threads and programs inherit
	// the rounding, so it is set here, and the supervisor gives commands ours back.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	slack, err := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0)
	if err != nil {
		return 0, err
	}
	unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(supervisorTimerSlack), 0, 0, 0)
	defer unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(slack), 0, 0, 0)
	// In a process group of its own, what a terminal sends us does not reach it.
	pid, err := group.start(&syscall.ProcAttr{
		Env:   supervisorEnv(),
		Files: []uintptr{uintptr(null), uintptr(null), uintptr(null), socket.Fd(), board.Fd()},
		Sys:   &syscall.SysProcAttr{Setpgid: true},
	}, func(attr *syscall.ProcAttr) (int, error) {
		return syscall.ForkExec("/proc/self/exe", []string{supervisorName, strconv.Itoa(slack)}, attr)
	})
	runtime.KeepAlive(socket)
	runtime.KeepAlive(board)
	return pid, err
}

// supervisorEnv is the environment of the supervisor. That of commands comes with
// each. In here the Go runtime finds its settings without having to change them.
func supervisorEnv() []string {
	return []string{
		// Small, because a command's peak memory can be told only if it is more than the supervisor's.
		"GOGC=20",
		// See leaveSignals. No goroutine in there computes for long.
		"GODEBUG=asyncpreemptoff=1",
		// As many threads as may have gone to sleep in the kernel within supervisorTimerSlack keep
		// their place in the scheduler, and go on at once when they wake.
		"GOMAXPROCS=" + strconv.Itoa(4*runtime.NumCPU()),
	}
}

// supervisorTimerSlack is by how much timers in the supervisor may be late. None of
// them is more precise than that.
const supervisorTimerSlack = 2 * time.Millisecond

// watch waits for the end of the supervisor, and sees to what it left.
func (l *line) watch() {
	defer close(l.gone)
	var state *os.ProcessState
	p, err := os.FindProcess(l.pid)
	if err == nil {
		state, err = p.Wait()
	}
	lines.Lock()
	defer lines.Unlock()
	delete(lines.pids, l.pid)
	if err == nil && state.Success() {
		return // it has seen to that itself
	}
	l.group.kill()
	endOrphans()
}

// endOrphans ends what has become ours by the death of a supervisor. There is no
// grace: what the commands work for is gone. The caller holds lines.
func endOrphans() {
	self, spare := os.Getpid(), lines.pids
	find := func() []int { return descendants(self, spare) }
	look := groupLookFirst
	for quiet := 0; quiet < 2; { // the list is not read at one instant: look twice
		killAll(find)
		left := 0
		eachProcess(func(p processStat) bool {
			if p.parent == self && !spare[p.pid] {
				if _, err := syscall.Wait4(p.pid, nil, syscall.WNOHANG, nil); err == nil {
					left++
				}
			}
			return true
		})
		if quiet++; left > 0 || len(find()) > 0 {
			quiet = 0
			time.Sleep(look)
			look = min(2*look, groupLookMax)
		}
	}
}

// send passes a packet and descriptors to the supervisor. EPIPE and ECONNRESET mean that there is none any more, and
// that the packet has had no effect.
func (l *line) send(packet []byte, fds []int) error {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.fd < 0 {
		return unix.EPIPE
	}
	rights := unix.UnixRights(fds...)
	for {
		_, err := unix.SendmsgN(l.fd, packet, rights, nil, unix.MSG_NOSIGNAL)
		if err != unix.EINTR {
			return err
		}
	}
}

// wake lets a supervisor go on that somebody has stopped.
func (l *line) wake() {
	select {
	case <-l.gone:
	default:
		unix.Kill(l.pid, unix.SIGCONT)
	}
}

// close ends the supervisor, which first ends whatever commands left behind, and
// waits for that.
func (l *line) close() error {
	l.mu.Lock()
	if l.fd >= 0 {
		unix.Close(l.fd)
		l.fd = -1
	}
	l.mu.Unlock()
	l.wake()
	late := time.NewTimer(grace + killSettle + supervisorSlack)
	defer late.Stop()
	select {
	case <-l.gone:
		return nil
	case <-late.C:
	}
	unix.Kill(l.pid, unix.SIGKILL)
	select {
	case <-l.gone:
		return nil
	case <-time.After(killSettle):
		return &Failure{Op: fmt.Sprintf("cannot end what commands left behind (look for the descendants of process %d)", os.Getpid()), Err: os.ErrDeadlineExceeded}
	}
}

// supervisorSlack is what the supervisor has for itself, on top of the grace of what it ends.
const supervisorSlack = 5 * time.Second
