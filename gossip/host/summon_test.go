package host

import (
	"net/netip"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
)

// nowhere are addresses at which nobody is.
var nowhere = []ma.Multiaddr{ma.StringCast("/ip4/127.0.0.1/tcp/9"), ma.StringCast("/ip4/127.0.0.1/udp/9/quic-v1")}

// summoned has a reach b, of which it knows no address that works.
func summoned(t *testing.T, a, b *Host) {
	t.Helper()
	connect(t, a, peer.AddrInfo{ID: b.ID()})
	for _, c := range a.swarm.ConnsToPeer(b.ID()) {
		if c.Stat().Direction != network.DirInbound {
			t.Errorf("there is a connection to %v", c.RemoteMultiaddr())
		}
	}
	serveEcho(b)
	says(t, a, b.ID(), "on the connection that you made because I asked")
	if s, c := a.Stats().Summoned, b.Stats().Called; s == 0 || c == 0 {
		t.Errorf("%d summonses, %d calls", s, c)
	}
}

// TestPeerThatNobodyCanDialIsSummoned: its datagrams come, so it can be told to call.
func TestPeerThatNobodyCanDialIsSummoned(t *testing.T) {
	a, b := start(t), start(t)
	b.Learn(a.ID(), a.Addrs())
	a.Learn(b.ID(), nowhere)
	from := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), portOf(t, b.Addrs()[0]))
	for ctx := within(t, patience); !heard(a, b.ID()); time.Sleep(5 * time.Millisecond) { // a probe is under way
		if a.Heard(b.ID(), from); ctx.Err() != nil {
			t.Fatal("probes are not answered")
		}
	}
	summoned(t, a, b)
}

func heard(h *Host, id peer.ID) bool {
	h.packets.mu.Lock()
	defer h.packets.mu.Unlock()
	return h.packets.peers[id].path.everHeard
}

// TestPeerWithoutUDPIsSummonedOverAMember: it only dials, over TCP, and has dialled somebody else.
func TestPeerWithoutUDPIsSummonedOverAMember(t *testing.T) {
	a, m, between := start(t), start(t), func(c *Config) { c.Listen, c.NoUDP = nil, true }
	b := start(t, between)
	b.Learn(a.ID(), a.Addrs())
	connect(t, b, info(m))
	connect(t, a, info(m))
	a.Learn(b.ID(), nowhere)
	a.packets.learn(m.ID(), m.Addrs())
	m.packets.learn(a.ID(), a.Addrs())
	summoned(t, a, b)
}

// TestSummonsIsAMembersAndForOneOfThem: others bring nothing about.
func TestSummonsIsAMembersAndForOneOfThem(t *testing.T) {
	a, b := start(t), start(t)
	a.Learn(b.ID(), b.Addrs())
	key, me, other := a.packets.key, shortID(a.ID()), shortID(b.ID())
	from := netip.MustParseAddrPort("127.0.0.1:9")
	for what, raw := range map[string][]byte{
		"of nobody that is known":          probe{kind: summonType, from: shortID("stranger"), to: me}.marshal(key),
		"for somebody else":                probe{kind: summonType, from: other, to: shortID("stranger")}.marshal(key),
		"to be passed on by nobody":        probe{kind: passType, from: shortID("stranger"), to: other}.marshal(key),
		"with the seal of another cluster": probe{kind: summonType, from: other, to: me}.marshal(probeKey([]byte("another"))),
	} {
		before := a.Stats().Dropped.BadProbe
		if a.packets.received(raw, from); a.Stats().Dropped.BadProbe == before {
			t.Errorf("a summons %s is taken", what)
		}
	}
	if len(a.summonses) > 0 {
		t.Error("this node calls somebody")
	}
}

// TestPeerThatSummonsAgainIsNotCalledAgain: not within a moment, however often it asks.
func TestPeerThatSummonsAgainIsNotCalledAgain(t *testing.T) {
	a, b := start(t), start(t)
	a.Learn(b.ID(), b.Addrs())
	b.Learn(a.ID(), a.Addrs())
	raw := probe{kind: summonType, from: shortID(b.ID()), to: shortID(a.ID())}.marshal(a.packets.key)
	for range 20 {
		a.packets.received(raw, netip.MustParseAddrPort("127.0.0.1:9"))
	}
	for ctx := within(t, patience); a.swarm.Connectedness(b.ID()) != network.Connected; time.Sleep(5 * time.Millisecond) {
		if ctx.Err() != nil {
			t.Fatal("nobody is called")
		}
	}
	if n := a.Stats().Called; n != 1 {
		t.Errorf("%d calls for summonses that came together", n)
	}
}
