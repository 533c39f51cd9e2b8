package host

import (
	"bytes"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/protocol"
	ma "github.com/multiformats/go-multiaddr"

	"github.com/filchsched/filch/gossip/identity"
)

// A member that opens streams and resets them harms nobody: the connection and
// its other streams stay, and the handlers end (goleak sees to that).
func TestResetsOfStreams(t *testing.T) {
	overBoth(t, func(t *testing.T, transport string) {
		a, b := start(t), start(t)
		serveEcho(b)
		const hold protocol.ID = "/test/hold/1"
		b.Handle(hold, func(s network.Stream) {
			if _, err := io.ReadAll(s); err == nil {
				t.Error("a reset looked like an end")
			}
			s.Reset()
		})
		connect(t, a, only(transport, info(b)))
		channel := a.swarm.ConnsToPeer(b.ID())[0]
		for range 10 {
			for range 100 {
				s, err := a.OpenStream(within(t, patience), b.ID(), hold)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := s.Write([]byte("half a mess")); err != nil {
					t.Fatal(err)
				}
				s.Reset()
			}
			says(t, a, b.ID(), "still there")
		}
		if channel.IsClosed() {
			t.Error("the connection was lost")
		}
	})
}

// What an admitted peer writes where packets and hellos are expected is bounded
// before it is read.
func TestRandomFrames(t *testing.T) {
	overBoth(t, func(t *testing.T, transport string) {
		a, b := start(t), start(t)
		serveEcho(b)
		got := listenPackets(b, 1)
		connect(t, a, only(transport, info(b)))
		rng := rand.NewChaCha8(seed(3))
		large := bytes.Repeat([]byte{0xff}, 1<<20)
		small := make([]byte, 4096)
		for _, p := range []protocol.ID{packetProtocol, helloProtocol} {
			for i := range 50 {
				text := large
				if i > 0 {
					rng.Read(small)
					text = small
				}
				s, err := a.OpenStream(within(t, patience), b.ID(), p)
				if err != nil {
					t.Fatal(err)
				}
				s.SetDeadline(time.Now().Add(patience))
				s.Write(text)
				s.CloseWrite()
				if _, err := io.ReadAll(s); err == nil && i == 0 {
					t.Errorf("%s: a megabyte was read", p)
				}
				s.Reset()
			}
		}
		says(t, a, b.ID(), "still there")
		frame := append(binary.BigEndian.AppendUint16(nil, 4), "\x01end"...)
		s, err := a.OpenStream(within(t, patience), b.ID(), packetProtocol)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if _, err := s.Write(frame); err != nil {
			t.Fatal(err)
		}
		if from := got.wait(t, "end"); from.ID != a.ID() {
			t.Errorf("from %v", from)
		}
	})
}

func TestConnectionsOfOnePeerAreBounded(t *testing.T) {
	member := start(t)
	same := identity.FromSeed(seed(9))
	for range 2 * maxConnsPerPeer {
		h := start(t, func(c *Config) { c.Identity, c.Listen = same, nil })
		// Started again and again, the peer gets in each time; the oldest have to go.
		if err := h.Connect(within(t, patience), info(member)); err != nil {
			t.Error(err)
		}
	}
	for ctx := within(t, patience); len(member.swarm.ConnsToPeer(same.ID())) > maxConnsPerPeer; runtime.Gosched() {
		if ctx.Err() != nil {
			t.Fatalf("%d connections of one peer", len(member.swarm.ConnsToPeer(same.ID())))
		}
	}
	if member.Stats().Refused[TooMany] == 0 {
		t.Error("nothing was counted")
	}
}

// A node remembers across a restart whom it reached, and where.
func TestBookSurvivesRestart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "peers.json")
	me := func(c *Config) { c.BookFile, c.Identity = file, identity.FromSeed(seed(9)) }
	b, c := start(t), start(t)
	a := start(t, me)
	connect(t, a, info(b))
	connect(t, c, info(a)) // c came by itself
	says2(t, c, a)
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	again := start(t, me)
	known := again.Known()
	if len(known) != 2 {
		t.Fatalf("remembered %v", known)
	}
	for _, k := range known {
		connect(t, again, k)
	}
	again.Forget(b.ID())
	if k := again.Known(); len(k) != 1 || k[0].ID != c.ID() {
		t.Errorf("after forgetting: %v", k)
	}
	if st, err := os.Stat(file); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", st.Mode(), err)
	}
}

// says2 makes sure that b has handled what came before.
func says2(t *testing.T, a, b *Host) {
	serveEcho(b)
	says(t, a, b.ID(), "x")
}

func TestBookToleratesGarbage(t *testing.T) {
	dir := t.TempDir()
	good := `{"version":1,"later":{},"peers":[
		{"id":"` + identity.FromSeed(seed(1)).ID().String() + `","addrs":["/ip4/10.0.0.1/tcp/1","nonsense"]},
		{"id":"nonsense","addrs":["/ip4/10.0.0.1/tcp/1"]},
		{"id":"` + identity.FromSeed(seed(2)).ID().String() + `","addrs":[]}]}`
	for name, c := range map[string]struct {
		text  string
		peers int
		warns bool
	}{
		"empty":     {"", 0, true},
		"garbage":   {"\x00\x01{[", 0, true},
		"half":      {good[:len(good)/2], 0, true},
		"partly":    {good, 1, true},
		"nothing":   {`{"version":1}`, 0, false},
		"too large": {strings.Repeat(" ", maxBookFile+1), 0, true},
	} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		b, err := openBook(file)
		if len(b.known()) != c.peers || (err != nil) != c.warns {
			t.Errorf("%s: %v, %v", name, b.known(), err)
		}
		b.worked(identity.FromSeed(seed(5)).ID(), ma.StringCast("/ip4/10.0.0.5/tcp/5"), time.Now())
		if err := b.save(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if b, err := openBook(file); err != nil || len(b.known()) != c.peers+1 {
			t.Errorf("%s: saved and opened: %v, %v", name, b.known(), err)
		}
	}
	left, err := filepath.Glob(filepath.Join(dir, "*.new*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestBookIsBounded(t *testing.T) {
	b, err := openBook("")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 * maxBook {
		var s [32]byte
		binary.BigEndian.PutUint32(s[:], uint32(i))
		id := identity.FromSeed(s).ID()
		for j := range 2 * maxBookAddrs {
			a := ma.StringCast("/ip4/10.0.0.1/tcp/" + []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16"}[j])
			b.worked(id, a, time.Unix(int64(i), 0))
			if b.peers[id].addrs[0] != nil && !b.peers[id].addrs[0].Equal(a) {
				t.Fatal("what worked last is not first")
			}
		}
		if len(b.peers) > maxBook || len(b.peers[id].addrs) > maxBookAddrs {
			t.Fatalf("%d peers, %d addresses", len(b.peers), len(b.peers[id].addrs))
		}
	}
	if k := b.known(); len(k) != maxBook || b.peers[k[0].ID].at.Unix() != 3*maxBook-1 {
		t.Errorf("%d known", len(k))
	}
}
