package plant

var (
	procLive    = check{folder: "exec/proc", run: "TestOutputGoesOut|TestBrokenWriter|TestStraysDoNotCostOutput"}
	procStuck   = check{folder: "exec/proc", run: "TestStuckWriterDoesNotKeepTheTimeout/supervised"}
	procGround  = check{folder: "exec/proc", run: "TestForegroundAndSignals/supervised|TestForegroundIsCancelledAlone/supervised"}
	procOrphans = check{folder: "exec/proc", run: "TestNothingSurvivesTheSupervisor/KILL"}
	procFrozen  = check{folder: "exec/proc", run: "TestLeashHoldsWhileFilchIsFrozen"}
	procStale   = check{folder: "exec/proc", run: "TestLockedGroupIsNotStale"}
	procLimit   = check{folder: "exec/proc", run: "TestMemoryLimitOfOurs"}
	procAlone   = check{folder: "exec/proc", run: "TestStoppedSupervisorSeesTheEndOfFilch"}
)

var procFaults = []fault{
	{
		name: "a Writer's error is passed over",
		file: "exec/proc/wait_linux.go",
		old:  "\t\t\t\ts.shut()\n",
		new:  "",
		test: procLive,
		says: "TestBrokenWriterEndsTheCommand",
	},
	{
		name: "what is in the pipe at the end is left there",
		file: "exec/proc/wait_linux.go",
		old:  "\ts.out.moveRest()\n",
		new:  "",
		test: procLive,
		says: "bytes",
	},
	{
		name: "a stuck Writer is waited for",
		file: "exec/proc/outlet.go",
		old:  "case <-l.gone:",
		new:  "case <-make(chan struct{}):",
		test: procStuck,
		says: "TestStuckWriterDoesNotKeepTheTimeout",
	},
	{
		name: "a command in the foreground has a group of its own",
		file: "exec/proc/supervised_linux.go",
		old:  "\t\tq.group = unix.Getpgrp()\n",
		new:  "",
		test: procGround,
		says: "the command is in group",
	},
	{
		name: "a signal before the start keeps a command from starting",
		file: "exec/proc/pass.go",
		old:  "!ok || !hasStarted(p, over)",
		new:  "!ok",
		test: check{folder: "exec/proc", run: "TestSignalWakesSupervisor"},
		says: "operation canceled",
	},
	{
		name: "orphans of a dead supervisor are left alone",
		file: "exec/proc/line_linux.go",
		old:  "\tl.group.kill()\n\tendOrphans()\n",
		new:  "",
		test: procOrphans,
		says: "still alive",
	},
	{
		name: "a supervisor forgets what became of orphans",
		file: "exec/proc/orphans_linux.go",
		old:  "\tdefer s.removeGroups()\n\tif !s.anyChild() {\n",
		new:  "\tdefer s.removeGroups()\n\tif true {\n",
		test: procAlone,
		says: "still alive",
	},
	{
		name: "a group with a lock on it is stale",
		file: "exec/proc/rungroup_linux.go",
		old:  "unix.LOCK_EX|unix.LOCK_NB); err != nil {",
		new:  "unix.LOCK_SH|unix.LOCK_NB); err != nil {",
		test: procStale,
		says: "one that is locked is stale",
	},
	{
		name: "a group of a living process is stale",
		file: "exec/proc/rungroup_linux.go",
		old:  "|| startOf(pid) == start {",
		new:  "{",
		test: procStale,
		says: "our own is stale",
	},
	{
		name: "only our own cgroup's limit counts",
		file: "exec/proc/ownlimit_linux.go",
		old:  "if dir == filepath.Dir(dir) {",
		new:  "if true {",
		test: procLimit,
		says: "outer:1000",
	},
	{
		name: "the supervisor does not look at leashes",
		file: "exec/proc/supervisor_linux.go",
		old:  "if s.board.leash(q.slot) != 0 {",
		new:  "if false {",
		test: procFrozen,
		says: "still alive",
	},
	{
		name: "a leash ends the command's group alone",
		file: "exec/proc/leash_linux.go",
		old:  "for _, p := range r.left {",
		new:  "for _, p := range r.left[:0] {",
		test: procFrozen,
		says: "still alive",
	},
	{
		name: "the end of a leash is as any cancel",
		file: "exec/proc/leash.go",
		old:  "cancel(ErrLeash)",
		new:  "cancel(nil)",
		test: check{folder: "exec/proc", run: "TestLeash$/direct"},
		says: "want cancelled, by the leash",
	},
	{
		name: "the umask of a command stays where threads have none of their own",
		file: "exec/proc/umask_linux.go",
		old:  "\t\tunix.Umask(before)\n",
		new:  "\t\t_ = before\n",
		test: check{folder: "exec/proc", run: "^TestUmasksWithoutThreadsOfTheirOwn$"},
		says: "umask 022 made",
	},
}
