package proc

import (
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// supervisorName is what the supervisor is called in a list of processes,
	// and how a program that was started to be one knows it.
	supervisorName = "filch-supervisor"

	// The supervisor's descriptors of what it shares with filch.
	supervisorSocket = 3
	supervisorBoard  = 4

	// idleSpawners wait for requests at most. One is enough for every request to be
	// taken at once; more spare us the making and ending of threads when commands end in
	// bursts.
	idleSpawners = 8
)

// A supervisor is the process that starts commands and outlives filch by as
// long as it takes to end them. doc.go has the whole story.
type supervisor struct {
	socket int
	self   int
	filch  int    // its process number, which may be another's when it is dead
	slack  uint64 // timer slack of commands, nanoseconds
	board  *board
	groups groupParents
	floor  floor
	run    *runGroup // that we are in, or nil

	idle     atomic.Int32   // spawners that wait for a request
	spawning sync.WaitGroup // all spawners
	endOnce  sync.Once      // for end
	looking  atomic.Bool    // a look for orphans is due
	leashing atomic.Bool    // a look at leashes is due

	// forking is held for reading from before a fork until the child is in
	// running. So whoever holds it for writing can tell a command from an orphan.
	forking sync.RWMutex

	mu      sync.Mutex              // guards running and what is in it; taken inside forking
	running map[int]*runningCommand // by process number, each waited for by its spawner
}

// A runningCommand is what the supervisor knows of a command.
type runningCommand struct {
	slot       int // on the board
	foreground bool

	told time.Duration // when its leash was over and it was told to end; 0: it was not
	left []int         // its descendants then
}

// supervise is the life of a supervisor. It returns the exit code.
func supervise() int {
	s := &supervisor{
		socket:  supervisorSocket,
		self:    os.Getpid(),
		filch:   os.Getppid(),
		running: make(map[int]*runningCommand),
	}
	kind, err := unix.GetsockoptInt(s.socket, unix.SOL_SOCKET, unix.SO_TYPE)
	if err == nil {
		s.board, err = openBoard(supervisorBoard)
	}
	if err != nil || kind != unix.SOCK_SEQPACKET {
		os.Stderr.WriteString(supervisorName + ": filch starts this by itself; it is of no use otherwise\n")
		return ExitFilchFailed
	}
	unix.CloseOnExec(s.socket)
	if unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != nil {
		return ExitFilchFailed
	}
	if s.slack, err = strconv.ParseUint(os.Args[1], 10, 0); err != nil {
		return ExitFilchFailed
	}
	s.run = adoptRunGroup()
	outliveSignals()
	leaveSignals()
	s.idle.Add(1)
	s.spawning.Go(s.spawn)
	s.spawning.Wait()
	return 0
}

// outliveSignals makes us immune to what a terminal, or the end of a session,
// sends: filch decides what that means for commands. Signals that are
// ignored already stay so, for commands inherit that.
func outliveSignals() {
	var caught []os.Signal // not ignored, so that commands have the default
	for _, sig := range []os.Signal{unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM, unix.SIGPIPE,
		unix.SIGTSTP, unix.SIGTTIN, unix.SIGTTOU, unix.SIGUSR1, unix.SIGUSR2, unix.SIGALRM} {
		if !signal.Ignored(sig) {
			caught = append(caught, sig)
		}
	}
	signal.Notify(make(chan os.Signal, 1), caught...)
}

// spawn starts a command, waits for its end, and so on until filch is gone. The last one
// to see that ends what is left. A spawner has a thread to itself, whose umask and cgroups are
// changed for the time of a fork. That a command has a thread which waits for it saves
// every switch between goroutines.
func (s *supervisor) spawn() {
	runtime.LockOSThread()                                        // never unlocked: the thread's changes go with it
	unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(s.slack), 0, 0, 0) // for the commands
	t := &spawner{ownUmask: unix.Unshare(unix.CLONE_FS) == nil}
	in := inbox{socket: s.socket, buf: make([]byte, packetMax)}
	for {
		q, fds, err := in.next()
		if s.idle.Add(-1) == 0 && err == nil {
			s.idle.Add(1)
			s.spawning.Go(s.spawn)
		}
		if err != nil {
			s.endOnce.Do(s.end)
			return
		}
		pid := s.start(t, q, fds)
		for i, fd := range fds {
			if i != passedReport {
				unix.Close(fd)
			}
		}
		if pid > 0 {
			s.await(pid, q.group != 0, fds[passedReport])
		}
		unix.Close(fds[passedReport])
		if t.stranded {
			return
		}
		if s.idle.Add(1) > idleSpawners {
			s.idle.Add(-1)
			return
		}
	}
}

// A spawner is what a thread can do.
type spawner struct {
	ownUmask bool // its umask is not the process's
	stranded bool // it is in a command's cgroup, and starts no other
}

// start starts one command and returns its number, or reports why it cannot.
func (s *supervisor) start(t *spawner, q *request, fds []int) int {
	s.groups.remember(q, fds)
	s.forking.RLock()
	defer s.forking.RUnlock()
	if s.filchIsGone() {
		return 0
	}
	pid, err := 0, error(syscall.ECANCELED)
	if s.board.beginFork(q.slot) {
		pid, err = t.fork(q, fds)
	}
	if err != nil {
		errno, ok := err.(syscall.Errno)
		if !ok {
			errno = syscall.EINVAL
		}
		tell(fds[passedReport], finished{Errno: uint32(errno)})
		return 0
	}
	s.mu.Lock()
	s.running[pid] = &runningCommand{slot: q.slot, foreground: q.group != 0}
	s.mu.Unlock()
	s.board.forked(q.slot, pid)
	if s.board.leash(q.slot) != 0 {
		s.keepLeashes()
	}
	s.lookLater()
	return pid
}

// filchIsGone spares us starting what a dead filch had asked for.
func (s *supervisor) filchIsGone() bool {
	fds := []unix.PollFd{{Fd: int32(s.socket), Events: unix.POLLRDHUP}}
	n, err := unix.Poll(fds, 0)
	return err == nil && n > 0 && fds[0].Revents&(unix.POLLRDHUP|unix.POLLHUP) != 0
}

// fork forks and executes q on this thread.
func (t *spawner) fork(q *request, fds []int) (pid int, err error) {
	attr := &syscall.ProcAttr{
		Dir:   q.dir,
		Env:   q.env,
		Files: []uintptr{uintptr(fds[passedStdin]), uintptr(fds[passedStdout]), uintptr(fds[passedStderr])},
		Sys:   &syscall.SysProcAttr{Setpgid: true, Pgid: q.group},
	}
	if !t.ownUmask {
		defer umaskTurn(q.umask)()
	} else if q.umask >= 0 {
		defer unix.Umask(unix.Umask(q.umask))
	}
	doors := fds[passedFixed : passedFixed+q.entering]
	if q.unified && len(doors) > 0 {
		attr.Sys.UseCgroupFD, attr.Sys.CgroupFD = true, doors[0]
		doors = nil
	}
	// A child is born where its parent's thread is.
	for ; len(doors) > 0; doors = doors[2:] {
		if _, err := unix.Write(doors[0], []byte("0")); err != nil {
			return 0, errCannotEnter
		}
		defer t.leave(doors[1])
	}
	return syscall.ForkExec(q.path, q.argv, attr)
}

// errCannotEnter says that the cgroup of a command did not let it in.
const errCannotEnter = syscall.ENODEV

// leave brings the thread back to our own cgroup.
func (t *spawner) leave(door int) {
	if _, err := unix.Write(door, []byte("0")); err != nil {
		t.stranded = true
	}
}

// tell writes a report. Nobody may be there to read it, which is all right; the
// pipe never fills, for one report is all that it gets.
func tell(report int, f finished) {
	for {
		if _, err := unix.Write(report, f.encode()); err != unix.EINTR {
			return
		}
	}
}

// await waits for the end of a command and reports it.
func (s *supervisor) await(pid int, foreground bool, report int) {
	var ws syscall.WaitStatus
	var ru syscall.Rusage
	err := s.waitFor(pid, foreground, &ws, &ru)
	leashed := int64(0)
	s.mu.Lock()
	if s.running[pid].told != 0 {
		leashed = 1
	}
	delete(s.running, pid)
	s.mu.Unlock()
	if err != nil {
		tell(report, finished{Errno: uint32(syscall.ECHILD)})
		return
	}
	peak := int64(ru.Maxrss) * maxrssUnit()
	tell(report, finished{
		Status:       uint32(ws),
		User:         ru.Utime.Nano(),
		System:       ru.Stime.Nano(),
		MaxRSS:       peak,
		Floor:        s.floor.under(peak),
		BytesRead:    int64(ru.Inblock) * rusageBlock,
		BytesWritten: int64(ru.Oublock) * rusageBlock,
		Leashed:      leashed,
	})
}

// rusageBlock is the unit of what Linux counts as input and output of a process.
const rusageBlock = 512
