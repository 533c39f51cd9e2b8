package plant

func init() { faults["decide"] = decideFaults }

var (
	decideRight  = check{folder: "testbed/decide", run: "TestDecidesWithinTenPercent"}
	decideHonest = check{folder: "testbed/decide", run: "TestEstimatesAreHonest"}
)

var decideFaults = []fault{
	{
		name: "old samples weigh as much as new ones",
		file: "steal/cost/track.go",
		old:  `t.n = min(t.n+1, memory)`,
		new:  `t.n, t.side = t.n+1, 0`,
		test: decideRight,
		says: "right: ",
	},
	{
		name: "the age of what a peer said is ignored",
		file: "steal/cost/queue.go",
		old:  `keep := float64(stale) / (float64(stale) + age)`,
		new:  `keep := float64(stale) / (float64(stale) + 0*age)`,
		test: decideHonest,
		says: "ninety: ",
	},
	{
		name: "the transfer counts twice",
		file: "steal/cost/estimate.go",
		old:  `e.queue.Add(e.to)`,
		new:  `e.queue.Add(e.to).Add(e.to)`,
		test: decideHonest,
		says: "bias: ",
	},
	{
		name: "each way takes a whole round trip",
		file: "steal/cost/peer.go",
		old:  `half := about(float64(rtt)/2, sure)`,
		new:  `half := about(float64(rtt), sure)`,
		test: check{folder: "steal/cost", run: "TestEveryPartCountsOnce"},
		says: "counted once the parts are",
	},
	{
		name: "who has said nothing for long is no candidate",
		file: "steal/cost/ask.go",
		old:  `	case p.Away != "":`,
		new: `	case p.Load.Heard && p.Load.Queued > time.Second:
		return "busy"
	case p.Away != "":`,
		test: check{folder: "steal/cost", run: "TestStaleLoadWidensAndNeverRejects"},
		says: "old: rejected, since it busy",
	},
	{
		name: "what was sent to a peer is forgotten until it says so",
		file: "steal/cost/choose.go",
		old:  `m.peers[c.Chosen.slot].place(now, c.Chosen.Run.Mean)`,
		new:  `_ = m.peers[c.Chosen.slot].place`,
		test: check{folder: "steal/cost", run: "TestNextOneKnowsOfTheLast"},
		says: "they went to map[a:8]",
	},
	{
		name: "all move at once to what is a little better",
		file: "steal/cost/settle.go",
		old:  `need, sure = max(share*from.score, float64(leaveRTTs*s.best.RTT)), likely`,
		new:  `need, sure = 0*share, 0.5`,
		test: check{folder: "steal/cost", run: "TestMovesOnlyIfItGains"},
		says: "100ms here, 92ms there",
	},
	{
		name: "trials cost nothing",
		file: "steal/cost/explore.go",
		old:  `	s.f.credit -= price`,
		new:  `	s.f.credit = maxCredit`,
		test: check{folder: "steal/cost", run: "TestTrialsHaveABudget"},
		says: "trials took",
	},
	{
		name: "data leave their zone",
		file: "steal/cost/ask.go",
		old:  `a.Zones != nil && !slices.Contains(a.Zones, p.Zone)`,
		new:  `a.Zones != nil && p.Zone != "" && len(a.Zones) == 0`,
		test: check{folder: "steal/cost", run: "TestConstraints"},
		says: "outside of the zones",
	},
}
