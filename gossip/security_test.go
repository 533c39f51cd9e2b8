package gossip

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/filchsched/filch/gossip/core"
	"github.com/filchsched/filch/gossip/identity"
	"github.com/filchsched/filch/gossip/transport"
)

// attackedWorld runs f with a converged cluster of n nodes that may log refusals, and
// checks afterwards that nothing but refusals was logged.
func attackedWorld(t *testing.T, n int, f func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 4, n)
		defer w.stop()
		w.burst()
		w.await(5*time.Minute, "everybody", (*simNode).complete)
		f(w)
		for line := range strings.Lines(w.logs.String()) {
			if !strings.Contains(line, "refused") {
				t.Errorf("logged: %s", line)
			}
		}
	})
}

// text and number encode for memberlist's messages, as its encoder does.
func text(name, value string) string {
	return string([]byte{0xa0 | byte(len(name))}) + name + string([]byte{0xda, byte(len(value) >> 8), byte(len(value))}) + value
}

func number(name string, value uint64) string {
	return string([]byte{0xa0 | byte(len(name))}) + name + string(binary.BigEndian.AppendUint64([]byte{0xcf}, value))
}

// aliveMessage is memberlist's announcement that a member is alive.
func aliveMessage(of peer.ID, addr string, incarnation uint32, tag core.Tag) []byte {
	meta := string(metaHead) + string([]byte{0, byte(len(tag.Encode()))}) + string(tag.Encode())
	return []byte("\x04\x86" + number("Incarnation", uint64(incarnation)) + text("Node", of.String()) + text("Addr", addr) +
		number("Port", transport.Port) + text("Meta", meta) + text("Vsn", "\x01\x05\x02\x02\x05\x05"))
}

// tell has an insider, who knows the gossip key, send every node a packet.
func (w *world) tell(plain []byte) {
	seal, err := transport.NewSeal(w.secret.GossipKey(), "filch members packet")
	if err != nil {
		w.t.Fatal(err)
	}
	for _, n := range w.running() {
		n.net.Inject(transport.Source{}, transport.PacketKind, seal.Seal(nil, n.identity.ID(), plain))
	}
}

// memberTag is what a node has as the tag of a member.
func (n *simNode) memberTag(id peer.ID) core.Tag {
	n.cluster.mu.Lock()
	defer n.cluster.mu.Unlock()
	m, _ := n.cluster.machine.Member(core.ID(id))
	return m.Tag
}

// signedTag is a tag that is really its owner's.
func (n *simNode) signedTag(incarnation, sequence uint64, hash byte) core.Tag {
	tag := core.Tag{Incarnation: incarnation, Sequence: sequence, Hash: core.Hash{hash}}
	copy(tag.Signature[:], n.identity.Sign(tag.Signed(core.ID(n.identity.ID()))))
	return tag
}

// TestForgedTagsAreNotBelieved: a member announces another's tags and address. None of 200
// forgeries is believed by anybody, at any time; the same message with the owner's
// signature is, so the messages are otherwise good.
func TestForgedTagsAreNotBelieved(t *testing.T) {
	attackedWorld(t, 8, func(w *world) {
		victim, insider := w.nodes[5], w.nodes[2]
		id := victim.identity.ID()
		good := w.nodes[1].memberTag(id)
		for i := range 200 {
			tag := core.Tag{Incarnation: good.Incarnation, Sequence: good.Sequence + 1 + uint64(i), Hash: core.Hash{byte(i)}}
			switch i % 3 {
			case 0: // no signature to speak of
				copy(tag.Signature[:], good.Signature[:])
			case 1: // the insider's own
				copy(tag.Signature[:], insider.identity.Sign(tag.Signed(core.ID(id))))
			case 2: // a good signature of the insider's over its own name
				copy(tag.Signature[:], insider.identity.Sign(tag.Signed(core.ID(insider.identity.ID()))))
			}
			w.tell(aliveMessage(id, string(transport.IP(id)), uint32(10+i), tag))
			time.Sleep(100 * time.Millisecond)
			for _, n := range w.nodes {
				if got := n.memberTag(id); got.Sequence != good.Sequence || got.Hash != good.Hash {
					t.Fatalf("forgery %d is believed by node %d", i, n.i)
				}
			}
		}
		// The address of another, with the victim's own good tag.
		w.tell(aliveMessage(id, string(transport.IP(insider.identity.ID())), 1000, victim.signedTag(good.Incarnation, good.Sequence, good.Hash[0])))
		time.Sleep(time.Second)
		for _, n := range w.nodes {
			if refused := n.cluster.Stats().TagsRefused; refused < 150 {
				t.Errorf("node %d refused %d announcements only", n.i, refused)
			}
			if n.cluster.Stats().Failures != 0 {
				t.Errorf("node %d lost a member", n.i)
			}
		}
		w.tell(aliveMessage(id, string(transport.IP(id)), 2000, victim.signedTag(good.Incarnation, good.Sequence+1, 7)))
		time.Sleep(time.Second)
		// The victim, which never said that, then takes a number above.
		if got := w.nodes[1].memberTag(id); got.Incarnation == good.Incarnation && got.Sequence != good.Sequence+1 {
			t.Errorf("the control, signed by its owner, is not believed: %+v", got)
		}
		w.logs.forget("members remember a later start")
	})
}

// TestReplayedTagsAreRefused: an old announcement of a member, with its good signature and
// a higher incarnation of memberlist's, does not bring back the old record.
func TestReplayedTagsAreRefused(t *testing.T) {
	attackedWorld(t, 8, func(w *world) {
		victim := w.nodes[5]
		id := victim.identity.ID()
		victim.cluster.mu.Lock()
		unsigned, _ := victim.cluster.machine.Own()
		victim.cluster.mu.Unlock()
		old := victim.cluster.sign(unsigned)
		if err := victim.cluster.SetRecord(func(r *core.Record) { r.Cores = 64 }); err != nil {
			t.Fatal(err)
		}
		w.await(time.Minute, "the new record", func(n *simNode) bool {
			m, _ := n.cluster.Member(id)
			return m.Record != nil && m.Record.Cores == 64
		})
		for i := range 50 {
			w.tell(aliveMessage(id, string(transport.IP(id)), uint32(50+i), old))
			time.Sleep(100 * time.Millisecond)
		}
		for _, n := range w.nodes {
			if m, _ := n.cluster.Member(id); m.Record == nil || m.Record.Cores != 64 || m.State != core.Alive {
				t.Errorf("node %d has %+v", n.i, m)
			}
			if n != victim && n.cluster.Stats().TagsRefused == 0 { // who repeats what it said itself is no liar to it
				t.Errorf("node %d refused nothing", n.i)
			}
		}
	})
}

// TestReplayedDatagramsDoNoLastingHarm: all that was said during a minute, recorded on the
// wire, is said again, twice: while all is well, and after a member has left and another
// has crashed. Nobody is declared failed who lives, and the dead stay dead.
func TestReplayedDatagramsDoNoLastingHarm(t *testing.T) {
	type packet struct {
		to   peer.ID
		kind byte
		b    []byte
	}
	attackedWorld(t, 12, func(w *world) {
		var mu sync.Mutex
		var recorded []packet
		w.net.Tap(func(_, to peer.ID, kind byte, b []byte) {
			mu.Lock()
			defer mu.Unlock()
			if len(recorded) < 100_000 {
				recorded = append(recorded, packet{to, kind, b})
			}
		})
		w.nodes[7].crash() // suspicions and refutations, a death and a return among the recorded
		time.Sleep(30 * time.Second)
		w.nodes[7].start()
		w.await(5*time.Minute, "the return", (*simNode).complete)
		time.Sleep(30 * time.Second)
		w.net.Tap(nil)
		replay := func() {
			for i, p := range recorded {
				for _, n := range w.running() {
					n.net.Inject(transport.Source{}, p.kind, p.b) // to everybody, not only to whom it was for
				}
				if i%50 == 0 {
					time.Sleep(100 * time.Millisecond)
				}
			}
		}
		replay()
		time.Sleep(time.Minute)
		w.await(time.Minute, "everybody after the first replay", (*simNode).complete)

		w.nodes[3].cluster.Leave(context.Background())
		w.nodes[3].stop()
		w.nodes[4].crash()
		time.Sleep(2 * time.Minute)
		before := make(map[int]uint64)
		for _, n := range w.running() {
			before[n.i] = n.cluster.Stats().Failures
		}
		replay()
		time.Sleep(2 * time.Minute)
		w.await(time.Minute, "who is left, after the second replay", (*simNode).complete)
		for _, n := range w.running() {
			left, _ := n.cluster.Member(w.id(3))
			crashed, _ := n.cluster.Member(w.id(4))
			if left.State != core.Left && left.State != core.Failed || crashed.State != core.Failed {
				t.Errorf("node %d: who left is %s, who crashed %s", n.i, left.State, crashed.State)
			}
			// Who is dead may rise for a moment, and be declared failed anew; nobody else.
			if again := n.cluster.Stats().Failures - before[n.i]; again > 4 {
				t.Errorf("node %d: %d failures declared during the replay", n.i, again)
			}
		}
		t.Logf("%d datagrams recorded, each replayed twice to every node", len(recorded))
	})
}

// TestWrongKeyDoesNotGetIn: a node with another secret, that the network somehow let
// through, hears nothing and is not heard.
func TestWrongKeyDoesNotGetIn(t *testing.T) {
	attackedWorld(t, 5, func(w *world) {
		stranger := &simNode{w: w, i: 5, identity: simIdentity(99, 0)}
		w.nodes = append(w.nodes, stranger)
		stranger.net = w.net.Node(stranger.identity.ID())
		cfg := stranger.config()
		cfg.Secret = identity.NewSecret()
		stranger.startWith(cfg)
		if err := stranger.cluster.Join(context.Background(), []peer.AddrInfo{w.seed(0)}); err == nil {
			t.Error("it joins")
		}
		time.Sleep(time.Minute)
		if got := stranger.cluster.Stats().Present; got != 1 {
			t.Errorf("it sees %d members", got)
		}
		for _, n := range w.nodes[:5] {
			if s := n.cluster.Stats(); s.Present != 5 || s.Failures != 0 {
				t.Errorf("node %d sees %d members, %d failures", n.i, s.Present, s.Failures)
			}
		}
		if got := w.nodes[0].cluster.Stats().Transport.Refused["frame without this cluster's key"]; got == 0 {
			t.Error("nothing is counted")
		}
	})
}

// TestFloodOfGarbageCausesNoFailure: strangers send every node garbage of all kinds and
// sizes, while probes go on. Nobody is suspected, and the log stays short.
func TestFloodOfGarbageCausesNoFailure(t *testing.T) {
	attackedWorld(t, 20, func(w *world) {
		dice := rand.New(rand.NewPCG(5, 5))
		lines := strings.Count(w.logs.String(), "\n")
		for range 60 {
			for range 20 {
				junk := make([]byte, dice.IntN(transport.MaxPacket))
				for i := range junk {
					junk[i] = byte(dice.Uint32())
				}
				for _, n := range w.nodes {
					n.net.Inject(transport.Source{}, byte(1+dice.IntN(2)), junk)
				}
			}
			time.Sleep(time.Second)
		}
		for _, n := range w.nodes {
			s := n.cluster.Stats()
			if s.Failures != 0 || s.Suspicions != 0 || s.Present != 20 {
				t.Errorf("node %d: %d failures, %d suspicions, %d present", n.i, s.Failures, s.Suspicions, s.Present)
			}
			if refused := s.Transport.Refused["packet without this cluster's key"] + s.NewsRefused; refused != 1200 {
				t.Errorf("node %d refused %d of 1200", n.i, refused)
			}
		}
		if more := strings.Count(w.logs.String(), "\n") - lines; more > 3*20 {
			t.Errorf("%d lines logged", more)
		}
	})
}

// TestTagsAreVerifiedOnce: the delegate is asked far more often than it looks at
// signatures, and what it remembers is bounded.
func TestTagsAreVerifiedOnce(t *testing.T) {
	attackedWorld(t, 10, func(w *world) {
		time.Sleep(5 * time.Minute)
		for _, n := range w.nodes {
			if got := n.cluster.Stats().TagsVerified; got != 9 {
				t.Errorf("node %d verified %d signatures for 9 other members", n.i, got)
			}
		}
		for i := range 3 * refusedKept {
			tag := core.Tag{Incarnation: 9, Sequence: uint64(i)}
			id := w.id(3)
			w.tell(aliveMessage(id, string(transport.IP(id)), 99, tag))
		}
		time.Sleep(time.Second)
		c := w.nodes[0].cluster
		c.tags.mu.Lock()
		defer c.tags.mu.Unlock()
		if len(c.tags.refused) > refusedKept || len(c.tags.byName) != 9 {
			t.Errorf("%d refusals and %d members remembered", len(c.tags.refused), len(c.tags.byName))
		}
	})
}

// TestMetaHasOneForm: only what Serf's encoder makes of our tags is decoded.
func TestMetaHasOneForm(t *testing.T) {
	tag := core.Tag{Incarnation: 1, Sequence: 2, Hash: core.Hash{3}}
	good := string(metaHead) + fmt.Sprintf("\x00%c", len(tag.Encode())) + string(tag.Encode())
	if got, err := tagOf([]byte(good)); err != nil || got != tag {
		t.Fatalf("%+v, %v", got, err)
	}
	for name, meta := range map[string]string{
		"nothing":               "",
		"a role, as of old":     "web",
		"the mark alone":        "\xff",
		"a decoder's death":     "\xff\xdd\x7f\xff\xff\xff",
		"another name":          strings.Replace(good, "t", "u", 1),
		"two entries":           "\xff\x82" + good[2:] + good[2:],
		"a tail":                good + "x",
		"cut off":               good[:len(good)-1],
		"a length beyond":       string(metaHead) + "\xff\xff" + string(tag.Encode()),
		"a map of 2³² in short": "\xff\xdf\xff\xff\xff\xff",
	} {
		if _, err := tagOf([]byte(meta)); err == nil {
			t.Errorf("%s passes", name)
		}
	}
}

func FuzzTagOf(f *testing.F) {
	tag := core.Tag{Incarnation: 1, Sequence: 2}
	f.Add(append(append([]byte{}, metaHead...), append([]byte{0, byte(len(tag.Encode()))}, tag.Encode()...)...))
	f.Fuzz(func(t *testing.T, meta []byte) {
		got, err := tagOf(meta)
		if err != nil {
			return
		}
		again := append(append([]byte{}, metaHead...), 0, byte(len(got.Encode())))
		if string(append(again, got.Encode()...)) != string(meta) {
			t.Errorf("% x is taken for %+v", meta, got)
		}
	})
}
