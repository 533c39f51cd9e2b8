package stealnet

import (
	"context"
	"io"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"

	"github.com/filchsched/filch/gossip/host"
	"github.com/filchsched/filch/steal"
	"github.com/filchsched/filch/steal/core"
)

// A port is a host's streams, as stealing sees them, with faults on demand.
type port struct {
	host *host.Host
	mu   sync.Mutex
	open []*faulty // in the order in which they were opened
}

func nameOf(id peer.ID) core.PeerID { return core.PeerID(id.String()) }

// Open implements steal.Network.
func (p *port) Open(ctx context.Context, to core.PeerID, name string) (steal.Stream, error) {
	id, err := peer.Decode(string(to))
	if err != nil {
		return nil, err
	}
	s, err := p.host.OpenStream(ctx, id, protocol.ID(name))
	if err != nil {
		return nil, err
	}
	return p.wrap(s), nil
}

// Handle implements steal.Network.
func (p *port) Handle(name string, f func(core.PeerID, steal.Stream)) {
	if f == nil {
		p.host.Handle(protocol.ID(name), nil)
		return
	}
	p.host.Handle(protocol.ID(name), func(s network.Stream) { f(nameOf(s.Conn().RemotePeer()), p.wrap(s)) })
}

func (p *port) wrap(s network.Stream) *faulty {
	f := &faulty{Stream: s, over: make(chan struct{})}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open = append(p.open, f)
	return f
}

// hurt does something bad to one of the streams: a reset, a stall of its reader that ends, or a connection
// that is half open: what is written goes nowhere, what is read does not come, and nobody is told.
func (p *port) hurt(rng *rand.Rand) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	live := p.open[:0]
	for _, f := range p.open {
		if !f.ended() {
			live = append(live, f)
		}
	}
	clear(p.open[len(live):])
	p.open = live
	if len(live) == 0 {
		return ""
	}
	f := live[rng.IntN(len(live))]
	switch rng.IntN(3) {
	case 0:
		f.Reset()
		return "reset"
	case 1:
		f.stall(time.Duration(rng.Int64N(int64(15 * time.Second))))
		return "stalled reader"
	}
	f.half()
	return "half open"
}

// A faulty is a stream that can be made worse.
type faulty struct {
	network.Stream
	mu     sync.Mutex
	until  time.Time // reads nothing before
	silent bool
	over   chan struct{}
	once   sync.Once
}

func (f *faulty) ended() bool {
	select {
	case <-f.over:
		return true
	default:
		return false
	}
}

func (f *faulty) stall(d time.Duration) {
	f.mu.Lock()
	f.until = time.Now().Add(d)
	f.mu.Unlock()
}

func (f *faulty) half() {
	f.mu.Lock()
	f.silent = true
	f.mu.Unlock()
}

func (f *faulty) state() (wait time.Duration, silent bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return time.Until(f.until), f.silent
}

func (f *faulty) Read(b []byte) (int, error) {
	n, err := f.Stream.Read(b)
	for err == nil {
		wait, silent := f.state()
		if silent {
			<-f.over
			return 0, io.ErrClosedPipe
		}
		if wait <= 0 {
			break
		}
		select {
		case <-time.After(wait):
		case <-f.over:
			return 0, io.ErrClosedPipe
		}
	}
	return n, err
}

func (f *faulty) Write(b []byte) (int, error) {
	if _, silent := f.state(); silent {
		return len(b), nil
	}
	return f.Stream.Write(b)
}

func (f *faulty) Reset() error {
	f.once.Do(func() { close(f.over) })
	return f.Stream.Reset()
}

func (f *faulty) Close() error {
	f.once.Do(func() { close(f.over) })
	return f.Stream.Close()
}
