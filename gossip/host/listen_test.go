package host

import (
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"

	"github.com/filchsched/filch/gossip/identity"
)

func TestDefaultListenIsNotPublic(t *testing.T) {
	for _, c := range []struct {
		ip     string
		listen string
	}{
		{"127.0.0.1", "127.0.0.1:7447"},
		{"10.1.2.3", "10.1.2.3:7447"},
		{"172.16.0.1", "172.16.0.1:7447"},
		{"172.31.255.254", "172.31.255.254:7447"},
		{"172.32.0.1", ""},
		{"192.168.1.7", "192.168.1.7:7447"},
		{"192.169.1.7", ""},
		{"169.254.3.4", "169.254.3.4:7447"},
		{"100.64.0.1", "100.64.0.1:7447"},
		{"100.127.255.255", "100.127.255.255:7447"},
		{"100.128.0.1", ""},
		{"8.8.8.8", ""},
		{"203.0.113.5", ""},
		{"0.0.0.0", ""},
		{"224.0.0.251", ""},
		{"::1", "[::1]:7447"},
		{"fd00::1", "[fd00::1]:7447"},
		{"fc00::1", "[fc00::1]:7447"},
		{"fe80::1", ""},
		{"2001:db8::1", ""},
		{"2a00:1450:4001::1", ""},
		{"::", ""},
		{"ff02::fb", ""},
		{"::ffff:10.0.0.1", "10.0.0.1:7447"},
		{"::ffff:8.8.8.8", ""},
	} {
		got := strings.Join(defaultListen([]netip.Addr{netip.MustParseAddr(c.ip)}, 7447), " ")
		if got != c.listen {
			t.Errorf("%s: %q, want %q", c.ip, got, c.listen)
		}
	}
	all, err := DefaultListen(0)
	if err != nil || !slices.Contains(all, "127.0.0.1:0") {
		t.Errorf("here: %v, %v", all, err)
	}
}

func TestParseListen(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"127.0.0.1:0", "127.0.0.1:0"},
		{"[::1]:7447", "[::1]:7447"},
		{":7447", "0.0.0.0:7447 [::]:7447"},
		{"*:7447", "0.0.0.0:7447 [::]:7447"},
		{"7447", "!missing port"},
		{"::1:7447", "!too many colons"},
		{"10.0.0.1:70000", "!the port is a number"},
		{"10.0.0.1:http", "!the port is a number"},
		{"[fe80::1%eth0]:7447", "!zone"},
	} {
		all, err := parseListen([]string{c.text})
		var got []string
		for _, e := range all {
			got = append(got, netip.AddrPortFrom(e.ip, e.port).String())
		}
		want, fails := strings.CutPrefix(c.want, "!")
		switch {
		case fails && (err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), c.text)):
			t.Errorf("%s: %v", c.text, err)
		case !fails && (err != nil || strings.Join(got, " ") != want):
			t.Errorf("%s: %v, %v", c.text, got, err)
		}
	}
}

func TestPortInUseNamesTheAddress(t *testing.T) {
	a := start(t)
	port := portOf(t, a.Addrs()[0])
	at := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port).String()
	_, err := New(Config{Identity: identity.New(), Secret: secret, Listen: []string{at}})
	if err == nil || !strings.Contains(err.Error(), "listening on "+at+" (UDP): another program, perhaps another filch, has this port") {
		t.Errorf("%v", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0") // taken on TCP only
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, err = New(Config{Identity: identity.New(), Secret: secret, Listen: []string{l.Addr().String()}})
	if err == nil || !strings.Contains(err.Error(), "(TCP): another program") {
		t.Errorf("%v", err)
	}
	_, err = New(Config{Identity: identity.New(), Secret: secret, Listen: []string{"192.0.2.1:0"}})
	if err == nil || !strings.Contains(err.Error(), "192.0.2.1") {
		t.Errorf("%v", err)
	}
}

// Port 0 is one number for all endpoints, on UDP and TCP.
func TestPortZeroIsOneNumberEverywhere(t *testing.T) {
	h := start(t, func(c *Config) { c.Listen = []string{"127.0.0.1:0", "127.0.0.2:0", "[::1]:0"} })
	addrs := h.swarm.ListenAddresses()
	if len(addrs) != 6 {
		t.Fatalf("listening on %v", addrs)
	}
	for _, a := range addrs {
		if portOf(t, a) != portOf(t, addrs[0]) {
			t.Errorf("listening on %v", addrs)
		}
	}
}

func TestMembersConnectOverIPv6(t *testing.T) {
	v6 := func(c *Config) { c.Listen = []string{"[::1]:0"} }
	overBoth(t, func(t *testing.T, transport string) {
		a, b := start(t, v6), start(t, v6)
		serveEcho(b)
		connect(t, a, only(transport, info(b)))
		says(t, a, b.ID(), "there")
		sink := listenPackets(b, 1)
		a.Learn(b.ID(), b.Addrs())
		a.SendPacket(b.ID(), 1, []byte("x"))
		sink.wait(t, "x")
	})
}

func multiaddrs(texts ...string) (all []ma.Multiaddr) {
	for _, s := range texts {
		all = append(all, ma.StringCast(s))
	}
	return all
}

func TestAnnounce(t *testing.T) {
	for _, c := range []struct {
		name                  string
		listening, seen, want []string
	}{
		{"loopback alone", []string{"/ip4/127.0.0.1/tcp/1", "/ip6/::1/tcp/1"}, nil, []string{"/ip4/127.0.0.1/tcp/1", "/ip6/::1/tcp/1"}},
		{"loopback and more", []string{"/ip4/127.0.0.1/tcp/1", "/ip4/10.0.0.1/tcp/1"}, nil, []string{"/ip4/10.0.0.1/tcp/1"}},
		{"loopback, seen elsewhere", []string{"/ip4/127.0.0.1/tcp/1"}, []string{"/ip4/9.9.9.9/udp/1/quic-v1"}, []string{"/ip4/9.9.9.9/udp/1/quic-v1"}},
		{"IPv6 link-local", []string{"/ip6/fe80::1/tcp/1", "/ip6/fd00::1/tcp/1"}, nil, []string{"/ip6/fd00::1/tcp/1"}},
		{"not resolved", []string{"/ip4/0.0.0.0/tcp/1"}, nil, nil},
		{"the same twice", []string{"/ip4/10.0.0.1/tcp/1"}, []string{"/ip4/10.0.0.1/tcp/1"}, []string{"/ip4/10.0.0.1/tcp/1"}},
		{"nothing", nil, nil, nil},
	} {
		got := announce(multiaddrs(c.listening...), multiaddrs(c.seen...))
		if !slices.EqualFunc(got, multiaddrs(c.want...), ma.Multiaddr.Equal) {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestObservedAddressNeedsTwoWitnessesAndOurPort(t *testing.T) {
	o := newObserved()
	o.listens(multiaddrs("/ip4/10.0.0.1/udp/7447/quic-v1"))
	now := time.Unix(1000, 0)
	ids := make([]peer.ID, 40)
	for i := range ids {
		ids[i] = identity.FromSeed(seed(byte(i))).ID()
	}
	good := ma.StringCast("/ip4/9.9.9.9/udp/7447/quic-v1")
	o.saw(ids[0], good, now)
	o.saw(ids[0], good, now)
	if got := o.addrs(now); len(got) != 0 {
		t.Errorf("one witness was enough for %v", got)
	}
	o.saw(ids[1], good, now)
	if got := o.addrs(now); len(got) != 1 || !got[0].Equal(good) {
		t.Errorf("announced %v", got)
	}
	for i, id := range ids {
		o.saw(id, ma.StringCast("/ip4/9.9.9.9/udp/50000/quic-v1"), now)
		o.saw(id, ma.StringCast("/ip4/9.9.9.9/tcp/7447"), now)
		for j := range 5 {
			b := []byte{9, 8, byte(i), byte(j)}
			o.saw(id, ma.StringCast("/ip4/"+net.IP(b).String()+"/udp/7447/quic-v1"), now)
		}
	}
	if got := o.addrs(now); len(got) != 1 || len(o.seen) > maxObserved {
		t.Errorf("announced %v, remembering %d", got, len(o.seen))
	}
	if got := o.addrs(now.Add(2 * witnessLife)); len(got) != 0 || len(o.seen) != 0 {
		t.Errorf("after the witnesses were gone: %v", got)
	}
}
