package plant

var (
	clusterTags    = check{folder: "gossip", run: "TestForgedTagsAreNotBelieved|TestReplayedTagsAreRefused|TestMetaHasOneForm"}
	clusterKey     = check{folder: "gossip", run: "TestWrongKeyDoesNotGetIn|TestFloodOfGarbageCausesNoFailure"}
	clusterOther   = check{folder: "gossip", run: "TestJoiningAnotherClusterSaysSo"}
	clusterGoodbye = check{folder: "gossip", run: "TestVitals|TestGoodbyeIsNoFailure"}
	clusterTrips   = check{folder: "gossip", run: "TestRoundTripsAreMeasured|TestTheShortestOfTheLastTripsCounts"}
	clusterSeal    = check{folder: "gossip/transport", run: "TestSealBindsKeyPurposeAndReceiver"}
	clusterQueue   = check{folder: "gossip/transport", run: "TestPacketQueueIsBounded"}
)

var gossipFaults = []fault{
	{
		name: "a tag needs no signature",
		file: "gossip/tags.go",
		old:  `if !identity.VerifySignature(`,
		new:  `if false && !identity.VerifySignature(`,
		test: clusterTags,
		says: `is believed by node`,
	},
	{
		name: "a replayed tag is let through",
		file: "gossip/tags.go",
		old:  `if err := core.Follow(v.tag, tag); err != nil {`,
		new:  `if err := core.Follow(v.tag, tag); err != nil && len(meta) == 0 {`,
		test: clusterTags,
		says: `--- FAIL: TestReplayedTagsAreRefused`,
	},
	{
		name: "tags may announce another length",
		file: "gossip/tags.go",
		old:  ` || int(rest[0])<<8|int(rest[1]) != len(rest)-2 {`,
		new:  ` {`,
		test: clusterTags,
		says: `passes`,
	},
	{
		name: "every key opens",
		file: "gossip/transport/seal.go",
		old:  `aes.NewCipher(key)`,
		new:  `aes.NewCipher(make([]byte, len(key)))`,
		test: clusterKey,
		says: `--- FAIL: TestWrongKeyDoesNotGetIn`,
	},
	{
		name: "garbage is not counted",
		file: "gossip/transport/transport.go",
		old:  `t.refusals.refused("packet without this cluster's key", from.String(), err)`,
		new:  `_ = err`,
		test: clusterKey,
		says: `of 1200`,
	},
	{
		name: "a replayed packet is good for everybody",
		file: "gossip/transport/seal.go",
		old:  `return append(b, to...)`,
		new:  `return b`,
		test: clusterSeal,
		says: `--- FAIL: TestSealBinds`,
	},
	{
		name: "the queue of packets is long",
		file: "gossip/transport/transport.go",
		old:  `packetQueue = 1024`,
		new:  `packetQueue = 1 << 16`,
		test: clusterQueue,
		says: `--- FAIL: TestPacketQueueIsBounded`,
	},
	{
		name: "anybody may say goodbye for a member",
		file: "gossip/vitals.go",
		old:  `x.leaves = x.leaves || p.From == p.Node && p.Incarnation`,
		new:  `x.leaves = x.leaves || p.Incarnation`,
		test: clusterGoodbye,
		says: `--- FAIL: TestGoodbyeIsNoFailure`,
	},
	{
		name: "who has said goodbye has failed",
		file: "gossip/vitals.go",
		old:  `x != nil && x.leaves {`,
		new:  `x != nil && !x.leaves {`,
		test: clusterGoodbye,
		says: `--- FAIL: Test`,
	},
	{
		name: "any cluster is ours",
		file: "gossip/host/admission.go",
		old:  `return member.Verify(a.cluster, id, a.now())`,
		new:  "member.Verify(a.cluster, id, a.now())\n\t\treturn nil",
		test: clusterOther,
		says: `--- FAIL: TestJoining`,
	},
	{
		name: "the longest of the last trips counts",
		file: "gossip/measure.go",
		old:  `shortest = min(shortest, x)`,
		new:  `shortest = max(shortest, x)`,
		test: clusterTrips,
		says: `is told, want`,
	},
	{
		name: "probes measure nothing",
		file: "gossip/measure.go",
		old:  `t.add(max(rtt, time.Nanosecond))`,
		new:  `t.add(0)`,
		test: clusterTrips,
		says: `do not see all round trips`,
	},
}
