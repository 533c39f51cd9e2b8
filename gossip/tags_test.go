package gossip

import (
	"log/slog"
	"net"
	"testing"

	"github.com/hashicorp/memberlist"

	"github.com/filchsched/filch/gossip/core"
	"github.com/filchsched/filch/gossip/transport"
)

// TestAddressAndVersionsAreChecked: an announcement with another address than the one that
// follows from the name, or with versions that would make memberlist refuse whole
// exchanges, is refused, with the best of signatures.
func TestAddressAndVersionsAreChecked(t *testing.T) {
	owner := &simNode{identity: simIdentity(1, 1)}
	id := owner.identity.ID()
	meta := func(tag core.Tag) []byte {
		b := append(append([]byte{}, metaHead...), 0, byte(len(tag.Encode())))
		return append(b, tag.Encode()...)
	}
	good := func() *memberlist.Node {
		return &memberlist.Node{
			Name: id.String(), Addr: transport.IP(id), Port: transport.Port, Meta: meta(owner.signedTag(1, 1, 1)),
			PMin: 1, PMax: 5, PCur: protocolVersion, DMin: 2, DMax: 5, DCur: serfVersion,
		}
	}
	tags := newTags(slog.New(slog.DiscardHandler), simIdentity(1, 3).ID())
	for name, spoil := range map[string]func(*memberlist.Node){
		"another address":         func(n *memberlist.Node) { n.Addr = transport.IP(simIdentity(1, 2).ID()) },
		"an address of IPv4":      func(n *memberlist.Node) { n.Addr = net.IPv4(10, 0, 0, 1) },
		"no address":              func(n *memberlist.Node) { n.Addr = nil },
		"another port":            func(n *memberlist.Node) { n.Port = 7946 },
		"another name":            func(n *memberlist.Node) { n.Name = simIdentity(1, 2).ID().String() },
		"no peer's name":          func(n *memberlist.Node) { n.Name = "web-1" },
		"another protocol":        func(n *memberlist.Node) { n.PCur = 5 },
		"a minimum beyond ours":   func(n *memberlist.Node) { n.PMin = 4 },
		"a maximum below ours":    func(n *memberlist.Node) { n.DMax = 4 },
		"another version of Serf": func(n *memberlist.Node) { n.DCur = 4 },
		"no tags":                 func(n *memberlist.Node) { n.Meta = nil },
	} {
		n := good()
		spoil(n)
		if tags.NotifyAlive(n) == nil {
			t.Errorf("%s: accepted", name)
		}
		if err := tags.NotifyAlive(good()); err != nil {
			t.Errorf("after %s the good one is refused: %v", name, err)
		}
		if n := good(); n != nil { // once more, now that the member is known
			spoil(n)
			if tags.NotifyAlive(n) == nil {
				t.Errorf("%s of a known member: accepted", name)
			}
		}
	}
	older, other := good(), good()
	older.Meta, other.Meta = meta(owner.signedTag(1, 0, 1)), meta(owner.signedTag(1, 1, 2))
	if tags.NotifyAlive(older) == nil || tags.NotifyAlive(other) == nil {
		t.Error("an older tag, or a second one for the same place, is accepted")
	}
	tags.forgotten(id.String())
	if tags.NotifyAlive(older) == nil {
		t.Error("a forgotten member comes back with an older tag")
	}
	newer := good()
	newer.Meta = meta(owner.signedTag(2, 1, 3))
	if err := tags.NotifyAlive(newer); err != nil {
		t.Error(err)
	}
}
