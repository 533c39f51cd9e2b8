package gossip

import (
	"time"

	"github.com/hashicorp/memberlist"
	"github.com/hashicorp/serf/serf"

	"github.com/filchsched/filch/gossip/transport"
)

// How Serf and memberlist are set, where it is not as they come. The defaults that matter:
// a message is passed on 4·log10(N+1) times, three members at a time, five times a second,
// so a change reaches everybody in about a second; a member that misses probes is suspect
// for 4·log10(N) probe intervals if others confirm it, six times as long if nobody does.
const (
	// probeInterval is how often each node probes one other. The cost of an idle node is
	// mostly this, and the time to detect a crash is proportional to it.
	probeInterval = time.Second
	// probeTimeout is how long an answer may take before others are asked to probe, too.
	// It is the longest round trip that a cluster may have without suspicions.
	probeTimeout = 500 * time.Millisecond
	// suspicionMult times log10(N) probe intervals is how long a suspicion lasts before it
	// becomes a failure.
	suspicionMult = 4
	// gossipInterval is how often a node passes on what is to be passed on. When there is
	// nothing it sends nothing.
	gossipInterval = 200 * time.Millisecond
	// gossipToTheDead is for how long a failed member is still told things, so that it
	// may refute when it can hear again.
	gossipToTheDead = 30 * time.Second

	// ReconnectInterval is how often, over the whole cluster, each failed member is tried
	// again; it bounds how long a healed partition goes unnoticed.
	ReconnectInterval = 15 * time.Second
	// ReconnectTimeout is for how long a failed member is remembered and tried.
	ReconnectTimeout = 6 * time.Hour
	// TombstoneTimeout is for how long it is remembered that a member left.
	TombstoneTimeout = time.Hour
	// reapInterval is how often Serf looks for members to forget.
	reapInterval = 15 * time.Second

	// broadcastTimeout is how long an announcement or a goodbye may wait for its first
	// transmission.
	broadcastTimeout = 2 * time.Second
	// leavePropagate is how long a node that leaves stays to answer probes of those who
	// do not know yet.
	leavePropagate = time.Second
	// minGossipInterval is how often at most that is for a node that has little time to leave.
	minGossipInterval = 20 * time.Millisecond
	// streamTimeout bounds one exchange of the whole state.
	streamTimeout = 10 * time.Second

	// eventQueue is how many of Serf's events may wait for the machine.
	eventQueue = 4096

	// What this node speaks: memberlist's protocol, and Serf's.
	protocolVersion = memberlist.ProtocolVersion2Compatible
	serfVersion     = 5
)

// serfConfig is what Serf is started with.
func (c *Cluster) serfConfig(t *transport.Transport, events chan<- serf.Event) *serf.Config {
	log := libraryLogger(c.log)

	m := memberlist.DefaultLANConfig()
	m.Transport = t
	m.RequireNodeNames = true
	m.Alive = c.tags
	m.Logger = log
	m.ProbeInterval, m.ProbeTimeout = probeInterval, probeTimeout
	m.SuspicionMult = suspicionMult
	m.GossipInterval, m.GossipToTheDeadTime = gossipInterval, gossipToTheDead
	broadcast, propagate := broadcastTimeout, leavePropagate
	if within := c.cfg.LeaveWithin; within > 0 && within < 2*broadcastTimeout+leavePropagate {
		// Two messages follow each other, each of which takes four rounds of gossip: what Serf says of
		// leaving, and what memberlist does.
		broadcast, propagate = within*2/5, within/5
		m.GossipInterval = max(minGossipInterval, min(gossipInterval, broadcast/8))
	}
	m.PushPullInterval = 0 // digests, instead
	m.TCPTimeout = streamTimeout
	m.UDPBufferSize = transport.PacketBudget
	m.EnableCompression = false // the transport refuses what is compressed

	s := serf.DefaultConfig()
	s.NodeName = c.id.String()
	s.ProtocolVersion = serfVersion
	s.MemberlistConfig = m
	s.Logger = log
	s.EventCh = events
	s.EnableNameConflictResolution = false
	s.CoalescePeriod, s.UserCoalescePeriod = 0, 0
	s.EventBuffer, s.QueryBuffer = 1, 1 // they ride on every exchange of state, and are empty
	s.BroadcastTimeout, s.LeavePropagateDelay = broadcast, propagate
	s.ReconnectInterval, s.ReconnectTimeout = ReconnectInterval, ReconnectTimeout
	s.TombstoneTimeout, s.ReapInterval = TombstoneTimeout, reapInterval
	return s
}
