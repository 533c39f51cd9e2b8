package memnet

import (
	"context"
	"errors"
	"io"
	"os"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/filchsched/filch/gossip/transport"
)

const (
	a = peer.ID("a")
	b = peer.ID("b")
)

// two makes a World with two nodes a millisecond apart.
func two(seed uint64) (*World, *Node, *Node) {
	w := New(seed)
	w.SetLatency(func(peer.ID, peer.ID) time.Duration { return time.Millisecond })
	return w, w.Node(a), w.Node(b)
}

func TestPacketsTakeTheirTimeAndAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, x, y := two(1)
		got := make(chan time.Time, 1)
		y.HandlePackets(3, func(_ transport.Source, p []byte) { got <- time.Now() })
		begun := time.Now()
		x.SendPacket(b, 3, make([]byte, 100))
		if took := (<-got).Sub(begun); took != time.Millisecond {
			t.Errorf("took %v", took)
		}
		if s, r := x.Traffic(), y.Traffic(); s.PacketBytesSent != 100 || r.PacketBytesReceived != 100 || s.Bytes() != 100 || r.Bytes() != 100 {
			t.Errorf("sent %+v, received %+v", s, r)
		}
		if x.SendPacket(b, 3, make([]byte, transport.MaxPacket+1)) == nil {
			t.Error("an oversized packet is sent")
		}
	})
}

func TestCutsHaveADirection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, x, y := two(1)
		var toX, toY atomic.Int64
		x.HandlePackets(1, func(transport.Source, []byte) { toX.Add(1) })
		y.HandlePackets(1, func(transport.Source, []byte) { toY.Add(1) })
		exchange := func() {
			x.SendPacket(b, 1, nil)
			y.SendPacket(a, 1, nil)
			time.Sleep(time.Second)
		}
		w.Cut(a, b)
		exchange()
		if atX, atY := toX.Load(), toY.Load(); atX != 1 || atY != 0 {
			t.Errorf("%d and %d packets through a one-way cut", atX, atY)
		}
		w.Partition([]peer.ID{a}, []peer.ID{b})
		exchange()
		w.Heal()
		exchange()
		if atX, atY := toX.Load(), toY.Load(); atX != 2 || atY != 1 {
			t.Errorf("%d and %d packets after the healing", atX, atY)
		}
	})
}

func TestLossIsOfTheShareAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, x, y := two(7)
		w.SetLoss(0.05)
		var arrived atomic.Int64
		y.HandlePackets(1, func(transport.Source, []byte) { arrived.Add(1) })
		for range 10_000 {
			x.SendPacket(b, 1, nil)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		n := arrived.Load()
		if n < 9_400 || n > 9_600 {
			t.Errorf("%d of 10,000 arrive at 5 %% loss", n)
		}
	})
}

func TestStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, x, y := two(1)
		y.HandleStreams("/echo", func(s transport.Stream) {
			io.Copy(s, s)
			s.Close()
		})
		begun := time.Now()
		s, err := x.OpenStream(context.Background(), b, "/echo")
		if err != nil {
			t.Fatal(err)
		}
		big := make([]byte, 3<<20)
		go func() {
			s.Write(big)
			s.CloseWrite()
		}()
		if back, err := io.ReadAll(s); err != nil || len(back) != len(big) {
			t.Errorf("%d bytes, %v", len(back), err)
		}
		if took := time.Since(begun); took < 4*time.Millisecond || took > 20*time.Millisecond {
			t.Errorf("two round trips took %v", took)
		}
		s.Close()
		if got := x.Traffic(); got.StreamBytesSent != int64(len(big)) || got.StreamBytesReceived != int64(len(big)) {
			t.Errorf("%+v", got)
		}
		if _, err := x.OpenStream(context.Background(), b, "/other"); err == nil {
			t.Error("a stream of a protocol that nobody speaks")
		}
	})
}

func TestStreamDeadlinesResetsAndCrashes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, x, y := two(1)
		held := make(chan transport.Stream, 1)
		y.HandleStreams("/hold", func(s transport.Stream) { held <- s })
		open := func() (mine, theirs transport.Stream) {
			s, err := x.OpenStream(context.Background(), b, "/hold")
			if err != nil {
				t.Fatal(err)
			}
			return s, <-held
		}
		read := func(s transport.Stream) error {
			_, err := s.Read(make([]byte, 1))
			return err
		}
		mine, theirs := open()
		begun := time.Now()
		mine.SetReadDeadline(begun.Add(time.Second))
		if err := read(mine); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(begun) != time.Second {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
		mine.SetReadDeadline(time.Time{})
		theirs.Reset()
		if err := read(mine); !errors.Is(err, errReset) {
			t.Errorf("after a reset: %v", err)
		}

		mine, _ = open()
		y.Crash()
		begun = time.Now()
		mine.SetDeadline(begun.Add(time.Minute))
		if err := read(mine); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("a crash is told: %v", err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if _, err := x.OpenStream(ctx, b, "/hold"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a stream to a crashed node: %v", err)
		}

		y = w.Node(b)
		y.HandleStreams("/hold", func(s transport.Stream) { held <- s })
		mine, _ = open()
		y.Close()
		if err := read(mine); !errors.Is(err, errReset) {
			t.Errorf("the end of a process: %v", err)
		}
		if _, err := x.OpenStream(context.Background(), b, "/hold"); !errors.Is(err, ErrUnreachable) {
			t.Errorf("a stream to a closed node: %v", err)
		}
	})
}
