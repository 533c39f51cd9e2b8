// Package proc is the runtime for operating-system commands. It starts a
// command, keeps what it prints, stops it when its context is cancelled, and tells
// what it ended in.
//
// # From line to process
//
// Parse decides whether a line needs the shell (parse.go, words.go). prepare
// makes a launch of the Command: path, arguments, environment, directory
// (prepare.go, environ.go, lookup.go). A starter makes a process of the launch
// (launch.go has the two interfaces, supervised_linux.go, starter_linux.go and portable.go
// the starters). While the command runs its output goes to two spools (wait_linux.go, spool.go),
// which become the captures of the Result (capture.go). A stopper watches the
// context (stop.go). What could not start is explained (explain.go).
//
// # What always holds
//
//   - A line that Parse executes directly does what `sh -c line` does: same
//     words, same program, same output, same end. Where shells differ, or the
//     environment decides, the shell gets the line. Apart from that a command sees one
//     thing less than under a shell: variables the shell adds for itself (_, SHLVL).
//   - Run returns when the command itself has ended, whoever else holds its
//     streams open; its output is then exactly what was in the pipes. What a
//     process left in the background writes later goes nowhere: it gets SIGPIPE,
//     and no later command's output can have it, because no pipe is used twice.
//   - A command whose output goes to a file of the caller's (Command.Stdout) writes there itself. With any other Writer
//     it waits when that is slow; its time-out and its cancelling do not (outlet.go).
//   - Output is complete or there is a *Failure: in the Result, and again from
//     whoever reads the Capture to its end.
//   - Memory per stream is bounded; beyond the bound output goes to a file without a name.
//   - A cancelled Run, and one whose time is up, returns when nothing of the command's process
//     group runs any more, or a second after KILL. A process that the kernel will not let die
//     (state D) keeps Run until it does: its core and memory are not free either.
//   - Under a supervisor no process that descends from a command outlives the Runner, whether that is
//     closed or filch dies.
//   - A command on a leash (leash.go) is dead two seconds and a look after the leash is over, with
//     its descendants, even if filch does not get to run; without a supervisor, if it does.
//   - No signal ever goes to a group that is not ours.
//
// # The supervisor
//
// What a command started may leave its process group, its session, and by a double
// fork its parent. On Linux it cannot leave its nearest ancestor that is a
// subreaper: to that one every orphan goes. So a Runner has one child, the supervisor
// (supervise_linux.go, supervisor_linux.go): this program once more, under another name,
// a subreaper, and the parent of all commands. It starts them at filch's request
// (wire_linux.go), which comes through a socket together with the pipes, so there is no second
// fork. The socket is also what ties the two: when filch closes it or dies, of whatever,
// the supervisor ends everything below itself, TERM first, KILL after the
// grace, and looks again until it has no child left (orphans_linux.go, sweep_linux.go).
// That there is none is something the kernel says (ECHILD), not a list that was read too early.
//
//	killed                    what ends the rest
//	filch, KILL included      the supervisor
//	the supervisor            filch, which is a subreaper too and inherits everything; the
//	                          commands end as lost (ErrSupervisorLost), the next one has a new supervisor
//	filch while stopped       the supervisor
//	the supervisor, stopped   filch, as above; while only stopped, it holds up starts and ends, and filch
//	                          wakes it to cancel and to close
//	both at once              the next filch that starts, by the cgroup; without cgroups nothing, and this
//	                          is the limit
//
// The cgroup (rungroup_linux.go) is made around each run where we may make one, of version 2, with or
// without controllers, else in the freezer or pids hierarchy of version 1. The supervisor is put in there,
// and everything else is born there, which costs a command nothing; the whole costs one start, in
// version 2 two mkdirs and two rmdirs, in version 1 some 10 ms in which the kernel moves the supervisor. In the end
// cgroup.kill (since Linux 5.14) ends what TERM did not, all at once; the look for children comes in any case, for
// root may move processes elsewhere. The name tells whose it is (process and its start), and both
// filch and the supervisor hold a lock on the directory: a group is stale if that process is gone and nobody holds a
// lock, which also spares a filch that lives in another PID namespace. Filch looks for stale groups in the cgroup
// that it is in itself: what was killed in another login session or container is found by the next filch there. After
// cgroup.kill a group is not used again: Linux (6.18 at least) kills what CLONE_INTO_CGROUP puts there later, too.
//
// Two more: what becomes of another user (setuid) may be beyond our right to signal; and a
// supervisor that is stopped in the same instant in which filch is killed may stay so.
//
// A stopped filch loses nothing: commands run on, and their ends wait in the pipes. Signals of a
// terminal do not reach the supervisor, which has a process group of its own in the same session,
// nor do commands, each with its own, see any but those that filch sends. The exception is a command with
// Foreground: it is in filch's group, and so a terminal, and a shell with job control, treat both as one
// job, to stop, to go on, and to read in the foreground only. If it stops by itself (TSTP, TTIN, TTOU) the supervisor
// stops filch as well, and continues it (job_linux.go). A group of its own and tcsetpgrp were
// rejected: filch would have to be a shell, and take the terminal back whenever it dies.
//
// What a command leaves behind when it ends by itself runs on, as under a shell or GNU parallel,
// until the Runner is closed; the same goes for what left the group of a command that was stopped.
//
// Rejected: the supervisor as a sibling that looks for our commands after our death, by
// process group, session, or a mark in the environment (`env -i setsid` with a double fork has
// none of them any more); the supervisor as our parent, into which the first process turns (it is
// what shells, timeout(1) and people then signal and stop, and no library can do it); PDEATHSIG (dies with a
// thread, and reaches children only); a PID namespace (commands see other numbers than everybody else); a
// second process per command.
//
// What it costs is waking another process twice for each command, and that had to be made cheap. A
// start is not confirmed: only filch's stopper wants the number of the process, and
// reads it off a page that both share (board_linux.go); why a command did not start arrives as its
// end does. And each running command has a thread of the supervisor, which sleeps in wait4: see
// spawn and startSupervisor for what the Go runtime does otherwise. Half of the cost was the runtime's: its
// thread that looks for threads which wait in the kernel (startSupervisor, pollInPlace, and filch run's GOMAXPROCS),
// the end of each child as a signal, and a system call for each signal in each child (leaveSignals). Of what is left, at
// about 400 µs of CPU time beside the 1,100 µs that GNU's true takes, under a profiler: fork and exec 145 µs, a look at 13
// directories of PATH 30 µs, three pipes 20 µs, the request 45 µs, its answer 25 µs. `make rates` measures all of it
// beside xargs (docs/benchmarks.md). The supervisor starts while filch looks at the machine (WarmUp).
//
// Not done: a queue of requests at the supervisor, so that the next command starts without a
// round trip. It would have to know of --delay, --halt and the first interrupt, and start times would be its to tell.
//
// # Limits
//
// Command.Memory and Command.Cores become cgroups, of version 1 or 2, where we may make them and a
// supervisor starts the command: it is born inside (limits_linux.go, cgroup_linux.go, cgroups_linux.go). Elsewhere
// memory is looked at ten times a second (limited_linux.go), and cores are only told to the command.
// Runner.Limits says which. A command over its memory is killed with its descendants, and no other.
//
// # Who waits, and on what
//
// Each running command has one goroutine, Run's caller, which sleeps in ppoll
// on two pipes and a third one for the end (without a supervisor: a pidfd), and moves the output itself. Measured on two cores, against
// starting the same commands with nothing captured at all (GNU's true: 620 µs of
// CPU time in the kernel and the dynamic linker, 105 µs in us):
//
//	pipes, ppoll in the caller          + 25 µs
//	memfd per stream, wait4             + 20 µs
//	unlinked file per stream, wait4     + 70 µs
//	os/exec, two copying goroutines     + 95 µs
//
// A memfd cannot be bounded. A file takes the writer's ENOSPC for itself, and a
// program that doesn't look loses output without anybody knowing; it is truncated by
// whatever opens /dev/stdout or /dev/stderr to write (tee does); and it cannot be read
// line by line while it grows. Pipes have none of that. Their price was that a
// command which prints line by line wakes its reader for every line: 0.9 s for
// 200,000 lines of a shell loop. So wait takes pauses in which it looks for the end
// only, and lets the pipe fill (nextPause): 0.4 s, as fast as into a file, and a
// short command wakes us once.
//
// We keep the write ends of the pipes open while a command runs. It costs two
// descriptors and saves two wake-ups; end of file has no meaning for us anyway, the end of
// the process has. Rejected: one thread with an epoll set for all commands (one
// slow spill file would hold up everybody, and a goroutine switch more is no
// gain); the runtime's poller (it has no way to wait for three descriptors at once).
//
// syscall.ForkExec shares memory with the child until exec (CLONE_VFORK|CLONE_VM),
// so the size of this process does not matter: 2 GB resident made no difference. Its
// global ForkLock admits one exec at a time, about 200 µs each; on a machine
// with many cores that is the next limit, and a starter in several processes the way out.
//
// # Peak memory
//
// Linux counts a process's peak from before exec, and before exec it was its parent. So
// a figure below the parent's own peak says nothing, and is reported as 0, not known. The parent is
// the supervisor, which has a few megabytes, or without one filch. The figure is that of the largest
// process, not of a sum. In a cgroup it is the group's, with the files that the kernel kept for it.
package proc
