package transport_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"io"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/filchsched/filch/gossip/identity"
	"github.com/filchsched/filch/gossip/memnet"
	"github.com/filchsched/filch/gossip/transport"
)

func testID(b byte) peer.ID { return identity.FromSeed([32]byte{b}).ID() }

var testKey = sha256.New().Sum(nil)

func newTransport(t *testing.T, n *memnet.Node, key []byte, log io.Writer) *transport.Transport {
	tr, err := transport.New(transport.Config{Network: n, Key: key, Logger: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tr.Shutdown() })
	return tr
}

// aPing is a packet that memberlist could have sent.
var aPing = append([]byte{0, 0x81, 0xa5}, "SeqNo\x01"...)

func TestPacketsAndStreamsArrive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := memnet.New(1)
		a, b := newTransport(t, w.Node(testID(1)), testKey, io.Discard), newTransport(t, w.Node(testID(2)), testKey, io.Discard)
		if _, err := a.WriteToAddress(aPing, transport.Address(testID(2))); err != nil {
			t.Fatal(err)
		}
		if p := <-b.PacketCh(); !bytes.Equal(p.Buf, aPing) {
			t.Errorf("arrived as % x", p.Buf)
		}
		mine, err := a.DialAddressTimeout(transport.Address(testID(2)), time.Second)
		if err != nil {
			t.Fatal(err)
		}
		theirs := <-b.StreamCh()
		mine.Write(aPing)
		if got, err := io.ReadAll(theirs); err != nil || !bytes.Equal(got, aPing) {
			t.Errorf("%q, %v", got, err)
		}
		theirs.Write(aPing)
		if got, err := io.ReadAll(mine); err != nil || !bytes.Equal(got, aPing) {
			t.Errorf("%q, %v", got, err)
		}
		mine.Close()
		theirs.Close()
		if _, err := a.WriteTo(aPing, "[fd00::1]:1"); err == nil {
			t.Error("a packet to an address without a name is sent")
		}
	})
}

// What a stranger or a broken member sends is counted, logged once, and goes no further.
func TestGarbagePacketsAreCountedAndLoggedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		n := memnet.New(1).Node(testID(1))
		tr := newTransport(t, n, testKey, &log)
		seal, _ := transport.NewSeal(testKey, "filch members packet")
		for i := range 1000 {
			n.Inject(transport.Source{}, transport.PacketKind, bytes.Repeat([]byte{byte(i)}, i))
			n.Inject(transport.Source{}, transport.PacketKind, seal.Seal(nil, testID(1), bytes.Repeat([]byte{byte(i)}, i)))
			n.Inject(transport.Source{}, transport.PacketKind, seal.Seal(nil, testID(2), aPing)) // for somebody else
		}
		s := tr.Stats()
		if s.Refused["packet without this cluster's key"] != 2000 || s.Refused["malformed packet"] != 1000 {
			t.Errorf("refused %v", s.Refused)
		}
		if lines := strings.Count(log.String(), "\n"); lines != 2 {
			t.Errorf("logged %d lines, want one per reason:\n%s", lines, log.String())
		}
		select {
		case p := <-tr.PacketCh():
			t.Errorf("memberlist gets % x", p.Buf)
		default:
		}
	})
}

// More packets than memberlist takes are dropped, not kept.
func TestPacketQueueIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1).Node(testID(1))
		tr := newTransport(t, n, testKey, io.Discard)
		seal, _ := transport.NewSeal(testKey, "filch members packet")
		p := seal.Seal(nil, testID(1), aPing)
		for range 5000 {
			n.Inject(transport.Source{}, transport.PacketKind, p)
		}
		if kept := len(tr.PacketCh()); kept+int(tr.Stats().Dropped) != 5000 || kept > 1024 {
			t.Errorf("kept %d, dropped %d", kept, tr.Stats().Dropped)
		}
	})
}

// A frame that announces a gigabyte is refused; one that announces the most there may be
// and sends little costs little.
func TestFramesThatAnnounceMuchCostNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		w := memnet.New(1)
		attacker := w.Node(testID(1))
		tr := newTransport(t, w.Node(testID(2)), testKey, &log)
		for _, size := range []uint32{1 << 30, transport.MaxFrame + 1, transport.MaxFrame, 0} {
			s, err := attacker.OpenStream(context.Background(), testID(2), transport.Protocol)
			if err != nil {
				t.Fatal(err)
			}
			s.Write(binary.BigEndian.AppendUint32(nil, size))
			s.Write(make([]byte, 1000))
			c := <-tr.StreamCh()
			c.SetDeadline(time.Now().Add(time.Second))
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			n, err := c.Read(make([]byte, 100))
			runtime.ReadMemStats(&after)
			if n != 0 || err == nil {
				t.Errorf("%d bytes announced: %d bytes arrive, %v", size, n, err)
			}
			if took := after.TotalAlloc - before.TotalAlloc; took > 256<<10 {
				t.Errorf("%d bytes announced: %d bytes of memory taken", size, took)
			}
			c.Close()
			s.Reset()
		}
		if got := tr.Stats().Refused; got["oversized frame"] != 2 || got["frame without this cluster's key"] != 1 {
			t.Errorf("refused %v", got)
		}
	})
}

// One peer can not take all places, and all together not more than there are.
func TestStreamsOfOnePeerAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := memnet.New(1)
		attacker, other := w.Node(testID(1)), w.Node(testID(3))
		tr := newTransport(t, w.Node(testID(2)), testKey, io.Discard)
		for range 100 {
			if _, err := attacker.OpenStream(context.Background(), testID(2), transport.Protocol); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if got := tr.Stats().Refused["too many streams of one peer"]; got != 98 {
			t.Errorf("%d of 100 streams refused", got)
		}
		if _, err := other.OpenStream(context.Background(), testID(2), transport.Protocol); err != nil {
			t.Fatal(err)
		}
		var conns []io.Closer
		for range 3 {
			conns = append(conns, <-tr.StreamCh())
		}
		for _, c := range conns {
			c.Close()
			c.Close()
		}
		if _, err := attacker.OpenStream(context.Background(), testID(2), transport.Protocol); err != nil {
			t.Fatal(err)
		}
		(<-tr.StreamCh()).Close()
	})
}

// lost is a Network that knows the way to nobody until told.
type lost struct {
	*memnet.Node
	found bool
}

func (l *lost) Knows(peer.ID) bool { return l.found }

func (l *lost) SendPacket(to peer.ID, kind byte, b []byte) error {
	if !l.found {
		return memnet.ErrUnreachable
	}
	return l.Node.SendPacket(to, kind, b)
}

// What a newcomer is to be told waits until there is a way to it; a probe does not.
func TestPacketsWaitForAWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := memnet.New(1)
		net := &lost{Node: w.Node(testID(1))}
		tr, err := transport.New(transport.Config{Network: net, Key: testKey})
		if err != nil {
			t.Fatal(err)
		}
		defer tr.Shutdown()
		b := newTransport(t, w.Node(testID(2)), testKey, io.Discard)
		to := transport.Address(testID(2))
		ack := append([]byte{2, 0x81, 0xa5}, "SeqNo\x01"...)
		if _, err := tr.WriteToAddress(aPing, to); err == nil {
			t.Error("a probe without a way is taken for sent")
		}
		for range 20 {
			if _, err := tr.WriteToAddress(ack, to); err != nil {
				t.Fatal(err)
			}
		}
		net.found = true
		tr.Reachable(testID(2))
		time.Sleep(time.Second)
		synctest.Wait()
		if got := len(b.PacketCh()); got != 8 {
			t.Errorf("%d packets waited, want 8", got)
		}
		net.found = false
		tr.WriteToAddress(ack, to)
		time.Sleep(4 * time.Second)
		net.found = true
		tr.Reachable(testID(2))
		synctest.Wait()
		if got := len(b.PacketCh()); got != 8 {
			t.Error("old news is sent")
		}
	})
}
