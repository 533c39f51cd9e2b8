package host

import (
	"bufio"
	"context"
	"encoding/binary"
	"io"
	"net/netip"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	manet "github.com/multiformats/go-multiaddr/net"
)

// packetProtocol carries packets as frames, each a length of two bytes and the
// packet with its kind.
const packetProtocol protocol.ID = "/filch/packet/1"

const (
	// packetQueue bounds the packets waiting for one peer; like a network, it
	// drops what comes beyond.
	packetQueue = 64
	// maxPacketStreams bounds the peers with a stream for packets at one time.
	maxPacketStreams = 4096
	// packetStreamIdle is after how long without packets the stream is closed.
	packetStreamIdle = 30 * time.Second
	// packetStreamTime bounds opening the stream, and each write.
	packetStreamTime = 5 * time.Second
	// packetStreamPause is for how long packets to a peer that cannot be reached
	// are dropped before the next attempt.
	packetStreamPause = 5 * time.Second
)

// packetStreams sends packets where datagrams do not get through: one goroutine
// and one stream for each peer, only as long as there are packets.
type packetStreams struct {
	open      func(context.Context, peer.ID) (network.Stream, error)
	reachable func(peer.ID) bool
	counts    *packetCounts
	ctx       context.Context
	stop      context.CancelFunc
	wg        sync.WaitGroup

	mu  sync.Mutex
	out map[peer.ID]chan []byte // who writes: send; who reads: the peer's goroutine
}

func newPacketStreams(open func(context.Context, peer.ID) (network.Stream, error), reachable func(peer.ID) bool, c *packetCounts) *packetStreams {
	s := &packetStreams{open: open, reachable: reachable, counts: c, out: make(map[peer.ID]chan []byte)}
	s.ctx, s.stop = context.WithCancel(context.Background())
	return s
}

// send queues a frame, kind first.
func (s *packetStreams) send(to peer.ID, frame []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	queue := s.out[to]
	if queue == nil {
		if s.ctx.Err() != nil || !s.reachable(to) {
			s.counts.noWay.Add(1)
			return ErrNoPath
		}
		if len(s.out) >= maxPacketStreams {
			s.counts.queueFull.Add(1)
			return ErrQueueFull
		}
		queue = make(chan []byte, packetQueue)
		s.out[to] = queue
		s.wg.Go(func() { s.write(to, queue) })
	}
	select {
	case queue <- frame:
		return nil
	default:
		s.counts.queueFull.Add(1)
		return ErrQueueFull
	}
}

// write writes one peer's packets until there were none for a while.
func (s *packetStreams) write(to peer.ID, queue chan []byte) {
	var stream network.Stream
	timer := time.NewTimer(packetStreamIdle)
	defer timer.Stop()
	for {
		select {
		case frame := <-queue:
			var err error
			if stream, err = s.frame(to, stream, frame); err != nil {
				s.counts.noWay.Add(1)
				s.pause(queue)
			}
			timer.Reset(packetStreamIdle)
			continue
		case <-timer.C:
		case <-s.ctx.Done():
		}
		s.mu.Lock()
		idle := len(queue) == 0 || s.ctx.Err() != nil
		if idle {
			delete(s.out, to)
		}
		s.mu.Unlock()
		if idle {
			if stream != nil {
				stream.Close()
			}
			return
		}
		timer.Reset(packetStreamIdle)
	}
}

// frame writes one packet, on the stream given or a new one.
func (s *packetStreams) frame(to peer.ID, stream network.Stream, frame []byte) (network.Stream, error) {
	if stream == nil {
		ctx, cancel := context.WithTimeout(s.ctx, packetStreamTime)
		defer cancel()
		var err error
		if stream, err = s.open(ctx, to); err != nil {
			return nil, err
		}
	}
	b := append(binary.BigEndian.AppendUint16(nil, uint16(len(frame))), frame...)
	stream.SetWriteDeadline(time.Now().Add(packetStreamTime))
	if _, err := stream.Write(b); err != nil {
		stream.Reset()
		return nil, err
	}
	s.counts.sentStream.Add(1)
	s.counts.sentBytes.Add(uint64(len(b)))
	return stream, nil
}

// pause drops what comes for a while: the peer cannot be reached.
func (s *packetStreams) pause(queue chan []byte) {
	over := time.After(packetStreamPause)
	for {
		select {
		case <-queue:
			s.counts.noWay.Add(1)
		case <-over:
			return
		case <-s.ctx.Done():
			return
		}
	}
}

// close ends all goroutines and waits for them.
func (s *packetStreams) close() {
	s.mu.Lock()
	s.stop()
	s.mu.Unlock()
	s.wg.Wait()
}

// maxPacketReaders bounds the streams for packets that one peer may have open to
// this node: one, and a few that are about to end.
const maxPacketReaders = 4

// packetReaders reads the packets that peers send over streams.
type packetReaders struct {
	packets *packets
	mu      sync.Mutex
	open    map[peer.ID]int
	buckets map[peer.ID]*bucket // of peers with open streams
}

// serve reads one stream until it ends.
func (r *packetReaders) serve(s network.Stream) {
	id := s.Conn().RemotePeer()
	if !r.begin(id) {
		s.Reset()
		return
	}
	defer r.end(id)
	var at netip.AddrPort
	if na, err := manet.ToNetAddr(firstTwo(s.Conn().RemoteMultiaddr())); err == nil {
		at, _ = netip.ParseAddrPort(na.String())
	}
	in := bufio.NewReader(s)
	var head [2]byte
	for {
		if _, err := io.ReadFull(in, head[:]); err != nil {
			s.Close()
			return
		}
		n := int(binary.BigEndian.Uint16(head[:]))
		if n == 0 || n > MaxPacket+1 {
			r.packets.counts.oversized.Add(1)
			s.Reset()
			return
		}
		b := make([]byte, n)
		if _, err := io.ReadFull(in, b); err != nil {
			s.Reset()
			return
		}
		r.mu.Lock()
		pass := r.buckets[id].take(time.Now(), streamRate, streamBurst)
		r.mu.Unlock()
		if !pass {
			r.packets.counts.limited.Add(1)
			continue
		}
		r.packets.deliver(b, Source{ID: id, Addr: at}, &r.packets.counts.gotStream)
	}
}

func (r *packetReaders) begin(id peer.ID) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.open[id] >= maxPacketReaders {
		return false
	}
	if r.open[id]++; r.open[id] == 1 {
		r.buckets[id] = &bucket{}
	}
	return true
}

func (r *packetReaders) end(id peer.ID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.open[id]--; r.open[id] == 0 {
		delete(r.open, id)
		delete(r.buckets, id)
	}
}
