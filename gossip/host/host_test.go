package host

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// hostPort returns HOST:PORT of an address.
func hostPort(t testing.TB, a ma.Multiaddr) string {
	t.Helper()
	na, err := manet.ToNetAddr(firstTwo(a))
	if err != nil {
		t.Fatal(err)
	}
	return na.String()
}

func TestMembersConnectOverBothTransports(t *testing.T) {
	for _, transport := range []string{"quic-v1", "tcp"} {
		t.Run(transport, func(t *testing.T) {
			a, b := start(t), start(t)
			serveEcho(a)
			serveEcho(b)
			connect(t, a, only(transport, info(b)))
			if c := a.swarm.ConnsToPeer(b.ID()); len(c) != 1 || !strings.Contains(c[0].RemoteMultiaddr().String(), transport) {
				t.Errorf("connections: %v", c)
			}
			says(t, a, b.ID(), "there")
			says(t, b, a.ID(), "and back, on the same connection")
			if n := len(b.swarm.Conns()); n != 1 {
				t.Errorf("%d connections", n)
			}
		})
	}
}

func TestOnePortForBothTransports(t *testing.T) {
	h := start(t)
	addrs := h.Addrs()
	if len(addrs) != 2 || portOf(t, addrs[0]) != portOf(t, addrs[1]) || portOf(t, addrs[0]) == 0 {
		t.Errorf("listening on %v", addrs)
	}
}

func TestPacketsBetweenMembers(t *testing.T) {
	a, b := start(t), start(t)
	sink := listenPackets(b, 3)
	a.Learn(b.ID(), b.Addrs())
	if err := a.SendPacket(b.ID(), 3, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	if from := sink.wait(t, "hello"); from.ID != "" || from.Addr.Port() != portOf(t, a.Addrs()[0]) {
		t.Errorf("from %v", from)
	}
	if n := len(a.swarm.Conns()); n != 0 {
		t.Errorf("a datagram made %d connections", n)
	}
}

func TestDialOnlyHostListensNowhere(t *testing.T) {
	a, b := start(t, func(c *Config) { c.Listen = nil }), start(t)
	if len(a.Addrs()) != 0 || len(a.swarm.ListenAddresses()) != 0 {
		t.Errorf("announced %v, listening on %v", a.Addrs(), a.swarm.ListenAddresses())
	}
	serveEcho(a)
	sinkA, sinkB := listenPackets(a, 1), listenPackets(b, 1)
	connect(t, a, info(b))
	says(t, b, a.ID(), "over the connection that you made")
	if err := a.SendPacket(b.ID(), 1, []byte("there")); err != nil {
		t.Fatal(err)
	}
	if from := sinkB.wait(t, "there"); from.ID != a.ID() {
		t.Errorf("from %v", from)
	}
	if err := b.SendPacket(a.ID(), 1, []byte("back")); err != nil {
		t.Fatal(err)
	}
	sinkA.wait(t, "back")
}

// What a member says may be passed on by another, as answers to indirect probes are. That must
// not make packets for the one go to the other.
func TestAnswerThatWasPassedOnMovesNobody(t *testing.T) {
	a, b, c := start(t), start(t), start(t)
	atB, atC := listenPackets(b, 3), listenPackets(c, 3)
	a.Learn(b.ID(), b.Addrs())
	a.Heard(b.ID(), netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), portOf(t, c.Addrs()[0])))
	for range 3 {
		if err := a.SendPacket(b.ID(), 3, []byte("for b")); err != nil {
			t.Fatal(err)
		}
		atB.wait(t, "for b")
	}
	a.Learn(c.ID(), c.Addrs())
	if err := a.SendPacket(c.ID(), 3, []byte("for c")); err != nil {
		t.Fatal(err)
	}
	atC.wait(t, "for c") // and nothing before
}

// A member that is heard from a new address is asked whether it is there, and is found.
func TestMemberThatMovedIsFound(t *testing.T) {
	a, b := start(t), start(t)
	at := listenPackets(b, 3)
	a.Learn(b.ID(), []ma.Multiaddr{ma.StringCast("/ip4/127.0.0.1/udp/9/quic-v1")}) // nobody is there
	a.Heard(b.ID(), netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), portOf(t, b.Addrs()[0])))
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for ctx := within(t, patience); ; {
		if err := a.SendPacket(b.ID(), 3, []byte("again")); err != nil {
			t.Fatal(err)
		}
		select {
		case <-at:
			return
		case <-again.C:
		case <-ctx.Done():
			t.Fatal("packets never get there")
		}
	}
}
