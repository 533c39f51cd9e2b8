// Package proc is the runtime for operating-system commands. It starts a
// command, keeps what it prints, stops it when its context is cancelled, and tells
// what it ended in.
//
// # From line to process
//
// Parse decides whether a line needs the shell (parse.go, words.go). prepare
// makes a launch of the Command: path, arguments, environment, directory
// (prepare.go, environ.go, lookup.go). A starter makes a process of the launch
// (launch.go has the two interfaces, starter_linux.go and portable.go the two
// starters). While the command runs its output goes to two spools (wait_linux.go, spool.go),
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
//   - Output is complete or there is a *Failure: in the Result, and again from
//     whoever reads the Capture to its end.
//   - Memory per stream is bounded; beyond the bound output goes to a file without a name.
//   - A cancelled Run returns when nothing of the command's process group runs
//     any more, or a second after KILL. What left the group (setsid) is beyond
//     this package's reach for now. A process that the kernel will not let die
//     (state D) keeps Run until it does: its core and memory are not free either.
//   - No signal ever goes to a group that is not ours.
//
// # Who waits, and on what
//
// Each running command has one goroutine, Run's caller, which sleeps in ppoll
// on a pidfd and two pipes, and moves the output itself. Measured on two cores, against
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
// Linux counts a process's peak from before exec, and before exec it was us. So
// a figure below our own peak says nothing, and is reported as 0, not known.
// Cgroups will know better.
package proc
