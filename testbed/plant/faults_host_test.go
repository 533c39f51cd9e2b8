package plant

var (
	hostStrangers = check{folder: "gossip/host", run: "TestAnotherProtocolOnTheUDPPort|TestDialsGivenUpAreNoAlarm"}
	hostSilence   = check{folder: "gossip/host", run: "TestSilentConnectionIsClosed|TestSilenceOfQUICWhereAMemberIs"}
	hostDoor      = check{folder: "gossip/host", run: "TestDoor|TestSieveKeepsMembersApart"}
	hostPeer      = check{folder: "gossip/host", run: "TestAnotherMemberAtTheAddressIsRefused"}
	hostStreams   = check{folder: "gossip/host", run: "TestResetsOfStreams"}
	hostBook      = check{folder: "gossip/host", run: "TestBookIsBounded|TestKilledNodeRemembersWhomItMet"}
	hostBookPace  = check{folder: "gossip/host", run: "TestBookIsSavedSoonAndNotTooOften"}
	hostSummons   = check{folder: "gossip/host", run: "Summon"}
	hostPort      = check{folder: "gossip/host", run: "TestPortZeroIsOneNumberEverywhere"}
)

var hostFaults = []fault{
	{
		name: "one address takes all room before the door",
		file: "gossip/host/door.go",
		old:  `if len(r.byAddr[addr]) >= maxKnocksPerAddress {`,
		new:  `if len(r.byAddr[addr]) >= maxKnocks {`,
		test: hostDoor,
		says: `--- FAIL: TestDoor`,
	},
	{
		name: "another protocol on TCP is no stranger",
		file: "gossip/host/firstbytes.go",
		old:  `c.odd.Store(true)`,
		new:  `c.odd.Store(false)`,
		test: hostStrangers,
		says: `no line with`,
	},
	{
		name: "another protocol on QUIC is no stranger",
		file: "gossip/host/quic.go",
		old:  "\t\treturn Abandoned\n\t}\n\treturn NotFilch\n",
		new:  "\t\treturn Abandoned\n\t}\n\treturn Abandoned\n",
		test: hostStrangers,
		says: `no line with`,
	},
	{
		name: "a dial that was given up is an alarm",
		file: "gossip/host/tcp.go",
		old:  `refusals.expect(Abandoned,`,
		new:  `refusals.refuse(Abandoned,`,
		test: hostStrangers,
		says: `level=WARN`,
	},
	{
		name: "what is no TLS goes for a dial that was given up",
		file: "gossip/host/tcp.go",
		old:  `if !cutOff(err) {`,
		new:  `if cutOff(err) && !cutOff(err) {`,
		test: hostStrangers,
		says: `no line with`,
	},
	{
		name: "silent connections stay",
		file: "gossip/host/tcp.go",
		old:  `acceptTimeout = 5 * time.Second`,
		new:  `acceptTimeout = 60 * time.Second`,
		test: hostSilence,
		says: `the connection was not closed`,
	},
	{
		name: "silence of QUIC is no stranger anywhere",
		file: "gossip/host/quic.go",
		old:  `why == Silent && t.neighbour(from)`,
		new:  `why == Silent`,
		test: hostSilence,
		says: `logged`,
	},
	{
		name: "members share the bucket of strangers",
		file: "gossip/host/bucket.go",
		old:  `if b := s.members[from]; b != nil {`,
		new:  `if b := s.members[from]; b != nil && b.spent < 0 {`,
		test: hostDoor,
		says: `--- FAIL: TestSieve`,
	},
	{
		name: "another member may answer at the address",
		file: "gossip/host/admission.go",
		old:  `id.ConfigForPeer(remote)`,
		new:  `id.ConfigForPeer("")`,
		test: hostPeer,
		says: `--- FAIL: TestAnotherMember`,
	},
	{
		name: "a reset does not reach the reader",
		file: "gossip/host/quic.go",
		old:  "\ts.Stream.CancelWrite(quic.StreamErrorCode(code))\n",
		new:  ``,
		test: hostStreams,
		says: `--- FAIL: TestResets`,
	},
	{
		name: "the book has no bound",
		file: "gossip/host/book.go",
		old:  `if len(b.peers) >= maxBook {`,
		new:  `if len(b.peers) >= maxBook<<9 {`,
		test: hostBook,
		says: `--- FAIL: TestBookIsBounded`,
	},
	{
		name: "the book waits for the next round",
		file: "gossip/host/host.go",
		old:  "\th.wg.Go(h.saveNews)\n",
		new:  ``,
		test: hostBook,
		says: `does not know the other`,
	},
	{
		name: "an old acquaintance is news",
		file: "gossip/host/book.go",
		old:  `if len(p.addrs) == 0 || !p.addrs[0].Equal(at) {`,
		new:  `if len(p.addrs) == 0 || at != nil {`,
		test: hostBookPace,
		says: `met again`,
	},
	{
		name: "port zero is another number for TCP",
		file: "gossip/host/listen.go",
		old:  `quic, tcp := e.multiaddrs(port)`,
		new:  "quic, _ := e.multiaddrs(port)\n\t\t_, tcp := e.multiaddrs(e.port)",
		test: hostPort,
		says: `--- FAIL: TestPortZero`,
	},
	{
		name: "where its datagrams come from, a peer is not summoned",
		file: "gossip/host/summon.go",
		old:  `asked = p.summonAt(id, q.marshal(p.key))`,
		new:  ``,
		test: hostSummons,
		says: `--- FAIL: TestPeerThatNobodyCanDialIsSummoned`,
	},
	{
		name: "a summons is not passed on over a stream",
		file: "gossip/host/summon.go",
		old:  "p.streams.send(to, b)\n\t\t} else {",
		new:  "p.summonAt(to, b)\n\t\t} else {",
		test: hostSummons,
		says: `--- FAIL: TestPeerWithoutUDPIsSummonedOverAMember`,
	},
	{
		name: "a peer that summons again is called again",
		file: "gossip/host/summon.go",
		old:  `again || len(last) >= maxCalls`,
		new:  `again && len(last) >= maxCalls`,
		test: hostSummons,
		says: `calls for summonses that came together`,
	},
}
