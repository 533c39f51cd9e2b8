package plant

func init() { faults["node"] = nodeFaults }

var (
	nodeDirs     = check{folder: "node", run: "TestDataDirOfOthers"}
	nodeMemory   = check{folder: "node", run: "TestUsableMemory"}
	nodeDir      = check{folder: "node", run: "TestDataDir$"}
	nodeSettings = check{folder: "node", run: "TestSettings"}
	controlGuard = check{folder: "node/control", run: "TestGuard|FuzzRequests"}

	controlFinds = check{folder: "node/control", run: "TestPlaces"}
	doctorJudges = check{folder: "node/doctor", run: "TestJudgements"}
	upService    = check{folder: "cmd/filch", run: "TestServiceManagerIsTold"}
	upSignals    = check{folder: "cmd/filch", run: "TestSecondSignalEndsAtOnce|TestSignalLeaves"}
	upSources    = check{folder: "cmd/filch", run: "TestSettingsOfThreeSources"}
	upRoom       = check{folder: "cmd/filch", run: "TestUpMakesRoom"}
	doctorQuiet  = check{folder: "cmd/filch", run: "TestDoctorDoesNotKnock"}
)

var nodeFaults = []fault{
	{
		name: "a directory that others may write to is taken",
		file: "node/datadir.go",
		old:  `mode&0o022 != 0`,
		new:  `mode&0o002 != 0`,
		test: nodeDirs,
		says: "mode 0770: <nil>",
	},
	{
		name: "a directory that others may list is refused",
		file: "node/datadir.go",
		old:  `mode&0o022 != 0`,
		new:  `mode&0o077 != 0`,
		test: nodeDirs,
		says: "mode 0755: ",
	},
	{
		name: "the machine's memory is told in a cgroup with less",
		file: "node/capacity.go",
		old:  `return min(machine, limit)`,
		new:  `return max(machine, limit)`,
		test: nodeMemory,
		says: "machine 8589934592, limit 1073741824: 8589934592",
	},
	{
		name: "a start is not counted",
		file: "node/datadir.go",
		old:  `return above + 1, d.write(`,
		new:  `return above, d.write(`,
		test: nodeDir,
		says: "incarnation:0",
	},
	{
		name: "an invitation to another cluster is followed",
		file: "node/datadir.go",
		old:  `case invited != nil && !invited.Equal(s):`,
		new:  `case invited != nil && invited.Equal(identity.Secret{}):`,
		test: nodeDir,
		says: "another cluster: <nil>",
	},
	{
		name: "a secret that others read is used",
		file: "node/datadir.go",
		old:  `return text, true, private(path, 0o077)`,
		new:  `return text, true, private(path, 0o004)`,
		test: nodeDir,
		says: "a secret that others read: ",
	},
	{
		name: "the file goes over the flags",
		file: "node/settings.go",
		old: `	all := maps.Clone(under.said)
	if all == nil {
		all = make(map[string]said)
	}
	maps.Copy(all, s.said)`,
		new: `	all := maps.Clone(s.said)
	if all == nil {
		all = make(map[string]said)
	}
	maps.Copy(all, under.said)`,
		test: nodeSettings,
		says: "Name:file",
	},
	{
		name: "the file goes over the environment",
		file: "cmd/filch/upflags.go",
		old:  `flags.Over(environment.Over(file))`,
		new:  `flags.Over(file.Over(environment))`,
		test: upSources,
		says: "map[rack:file]",
	},
	{
		name: "the token is not looked at",
		file: "node/control/guard.go",
		old:  `case !g.admits(r.Header.Get("Authorization")):`,
		new:  `case r.Header.Get("Authorization") == "":`,
		test: controlGuard,
		says: "wrong token: 200",
	},
	{
		name: "the secret is told over TCP",
		file: "node/control/guard.go",
		old:  `"/" + Version + "/join-string"`,
		new:  `"/" + Version + "/secret"`,
		test: controlGuard,
		says: "the secret: 4",
	},
	{
		name: "a body of any size is taken",
		file: "node/control/server.go",
		old:  `http.MaxBytesReader(w, r.Body, maxBody)`,
		new:  `http.MaxBytesReader(w, r.Body, 1<<40)`,
		test: check{folder: "node/control", run: "FuzzRequests"},
		says: "is taken",
	},
	{
		name: "FILCH_SOCKET does not go over FILCH_DATA_DIR",
		file: "node/control/places.go",
		old:  `if s := getenv("FILCH_SOCKET"); s != "" {`,
		new:  `if s := getenv("FILCH_SOCKET"); s != "" && getenv("FILCH_DATA_DIR") == "" {`,
		test: controlFinds,
		says: "[/d/control.sock]",
	},
	{
		name: "a file in the socket's place is removed",
		file: "node/control/socket.go",
		old:  `case info.Mode().Type() != fs.ModeSocket:`,
		new:  `case info.IsDir():`,
		test: check{folder: "node/control", run: "TestListenRefuses"},
		says: "--- FAIL: TestListenRefuses",
	},
	{
		name: "an open secret is no finding",
		file: "node/doctor/files.go",
		old:  `if mode.Perm()&0o077 != 0 && runtime`,
		new:  `if mode.Perm()&0o070 != 0 && runtime`,
		test: doctorJudges,
		says: "open mode: {Check:secret Status:ok",
	},
	{
		name: "the service manager is not told that the node stops",
		file: "cmd/filch/up.go",
		old:  `	service.stopping()`,
		new:  `	_ = service.stopping`,
		test: upService,
		says: "waiting for STOPPING=1",
	},
	{
		name: "the service manager is told of life by nobody",
		file: "cmd/filch/service.go",
		old:  `len(n.Members()) > 0`,
		new:  `len(n.Members()) > 1`,
		test: upService,
		says: "waiting for WATCHDOG=1",
	},
	{
		name: "a second signal waits as the first one does",
		file: "cmd/filch/up.go",
		old:  `os.Exit(exitOfSignal(s))`,
		new:  `_ = exitOfSignal(s)`,
		test: upSignals,
		says: "exit 0, want 130",
	},
	{
		name: "a signal ends the node without a goodbye",
		file: "node/node.go",
		old:  `if err := n.network.cluster.Leave(ctx); err != nil {`,
		new:  `if err := ctx.Err(); err != nil {`,
		test: upSignals,
		says: "it is failed",
	},
	{
		name: "no thread is left for the network",
		file: "cmd/filch/up.go",
		old:  `runtime.GOMAXPROCS(about.Workers + 1)`,
		new:  `runtime.GOMAXPROCS(about.Workers)`,
		test: upRoom,
		says: `with "" it has not 6`,
	},
	{
		name: "doctor knocks at the node's port",
		file: "node/doctor/running.go",
		old:  `	t, errTCP := net.Listen("tcp", hostPort)`,
		new: `	if c, err := net.Dial("tcp", hostPort); err == nil {
		c.Close()
	}
	t, errTCP := net.Listen("tcp", hostPort)`,
		test: doctorQuiet,
		says: "filch_refused_total",
	},
}
