package host

import (
	"bytes"
	"net/netip"
	"testing"

	ma "github.com/multiformats/go-multiaddr"

	"github.com/filchsched/filch/gossip/identity"
)

func FuzzParseProbe(f *testing.F) {
	key := probeKey(secret.NewsKey())
	f.Add(probe{nonce: 1}.marshal(key))
	f.Add(probe{kind: answerType, nonce: 1, seen: netip.MustParseAddrPort("10.0.0.1:1")}.marshal(key))
	f.Add(probe{kind: answerType, seen: netip.MustParseAddrPort("[fd00::1]:1")}.marshal(key))
	f.Add(probe{kind: passType, nonce: 2, from: shortID("a"), to: shortID("b")}.marshal(key))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := parseProbe(key, b)
		if err == nil && !bytes.Equal(p.marshal(key), b) {
			t.Errorf("%x became %x", b, p.marshal(key))
		}
	})
}

// FuzzDatagram hands anything to the receiving side: nothing reaches a handler
// that is not of its kind, and nothing is answered.
func FuzzDatagram(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{1, 2, 3})
	f.Add(probe{nonce: 1}.marshal(probeKey(secret.NewsKey())))
	f.Fuzz(func(t *testing.T, b []byte) {
		p := newPackets(identity.FromSeed(seed(1)).ID(), secret.NewsKey(), false, &sockets{})
		p.handle(7, func(from Source, got []byte) {
			if len(b) < 1 || b[0] != 7 || !bytes.Equal(got, b[1:]) || len(got) > MaxPacket || from.ID != "" {
				t.Errorf("%x became %x from %v", b, got, from)
			}
		})
		p.received(bytes.Clone(b), netip.MustParseAddrPort("10.0.0.9:9"))
		if n := p.counts.probesAnswered.Load(); n != 0 {
			t.Errorf("%d answers", n)
		}
	})
}

func FuzzParseHello(f *testing.F) {
	f.Add(hello{seen: ma.StringCast("/ip4/10.0.0.1/udp/1/quic-v1"), addrs: multiaddrs("/ip4/10.0.0.1/tcp/1", "/ip6/fd00::1/tcp/1")}.marshal())
	f.Add([]byte{0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := parseHello(b)
		if err != nil {
			return
		}
		if len(h.addrs) > maxAddrs {
			t.Errorf("%d addresses", len(h.addrs))
		}
		again, err := parseHello(h.marshal())
		if err != nil || len(again.addrs) != len(h.addrs) {
			t.Errorf("%v became %v, %v", h, again, err)
		}
	})
}

func FuzzBook(f *testing.F) {
	f.Add([]byte(`{"version":1,"peers":[{"id":"x","addrs":["/ip4/10.0.0.1/tcp/1"]}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		b, err := openBook("")
		if err != nil {
			t.Fatal(err)
		}
		b.parse(text)
		if len(b.peers) > maxBook {
			t.Errorf("%d peers", len(b.peers))
		}
	})
}

// A probe for somebody else, or with another cluster's key, is not answered: the
// same private address may belong to different machines in different networks.
func TestProbesAreAnsweredByTheOneMeant(t *testing.T) {
	me, other := identity.FromSeed(seed(1)).ID(), identity.FromSeed(seed(2)).ID()
	p := newPackets(me, secret.NewsKey(), false, &sockets{})
	from := netip.MustParseAddrPort("10.0.0.9:9")
	good := probeKey(secret.NewsKey())
	p.received(probe{nonce: 1, from: shortID(other), to: shortID(other)}.marshal(good), from)
	p.received(probe{nonce: 1, from: shortID(other), to: shortID(me)}.marshal(probeKey(identity.Secret(seed(7)).NewsKey())), from)
	if n := p.counts.badProbe.Load(); n != 2 {
		t.Errorf("%d of 2 were recognised", n)
	}
	// An answer that was not asked for proves nothing.
	p.learn(other, multiaddrs("/ip4/10.0.0.1/udp/1/quic-v1"))
	p.received(probe{kind: answerType, nonce: 5, from: shortID(other), to: shortID(me)}.marshal(good), from)
	if a := p.peers[other].path.addrs[0]; a == from {
		t.Error("an answer without a question was believed")
	}
}
