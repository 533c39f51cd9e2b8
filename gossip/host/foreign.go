package host

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	libp2phost "github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/peerstore"
	"github.com/libp2p/go-libp2p/core/protocol"
	ma "github.com/multiformats/go-multiaddr"

	"github.com/filchsched/filch/gossip/identity"
)

// A Foreign is a cluster's part of a libp2p host that belongs to the program around it. The program made the host with the
// transports and limits that it wants, and goes on using it; only protocols whose names begin with "/filch/" are served
// here, and only to members.
//
// libp2p proves who a peer is, but a handshake of such a host shows no membership certificate. So members show it on the
// first stream (admitProtocol), both to each other, before any other stream is opened or served. What is weaker than on filch's
// own host: a stranger may be connected, as the program's host allows, and can open streams, which are reset.
//
// Packets go over streams, one for each peer that there are packets for, as where UDP is blocked. All methods may be
// called concurrently.
type Foreign struct {
	host     libp2phost.Host
	admit    *admitter
	packets  *packets
	streams  *packetStreams
	readers  *packetReaders
	served   servedStreams
	watch    *network.NotifyBundle
	closing  sync.Once
	handlers sync.Mutex
	names    []protocol.ID // that are handled; guarded by handlers
}

// ForeignIdentity is the identity of a libp2p host, whose key has to be Ed25519 and in its peerstore, as it is where
// libp2p.New made the host.
func ForeignIdentity(h libp2phost.Host) (identity.Identity, error) {
	key := h.Peerstore().PrivKey(h.ID())
	if key == nil {
		return identity.Identity{}, errors.New("the libp2p host's private key is not in its peerstore; members sign what they announce with it")
	}
	if key.Type() != crypto.Ed25519 {
		return identity.Identity{}, fmt.Errorf("the libp2p host's key is of type %v; members need Ed25519, libp2p's default", key.Type())
	}
	raw, err := key.Raw()
	if err != nil || len(raw) < 32 {
		return identity.Identity{}, fmt.Errorf("the libp2p host's key cannot be used: %w", cmpErr(err))
	}
	id := identity.FromSeed([32]byte(raw[:32]))
	if id.ID() != h.ID() {
		return identity.Identity{}, errors.New("the libp2p host's key is not that of its peer ID")
	}
	return id, nil
}

func cmpErr(err error) error {
	if err == nil {
		return errors.New("it is too short")
	}
	return err
}

// NewForeign begins to serve members of the secret's cluster on a host, which stays its owner's. Close ends that.
func NewForeign(h libp2phost.Host, id identity.Identity, secret identity.Secret, log *slog.Logger) (*Foreign, error) {
	if id.ID() != h.ID() {
		return nil, fmt.Errorf("the identity is %s and the libp2p host %s", id.ID(), h.ID())
	}
	if slices.Contains(h.Mux().Protocols(), admitProtocol) {
		return nil, errors.New("the libp2p host serves a filch node already: one host is one node")
	}
	f := &Foreign{host: h}
	f.admit = newAdmitter(h, id, secret, newRefusals(log, time.Now))
	nobody := make([]byte, 32) // datagrams, and so probes, are not for this host
	rand.Read(nobody)          // never fails
	f.packets = newPackets(id.ID(), nobody, true, nil)
	f.readers = &packetReaders{packets: f.packets, open: make(map[peer.ID]int), buckets: make(map[peer.ID]*bucket)}
	f.streams = newPacketStreams(func(ctx context.Context, to peer.ID) (network.Stream, error) {
		return f.OpenStream(ctx, to, packetProtocol)
	}, f.Knows, &f.packets.counts)
	f.served.open = make(map[network.Stream]struct{})
	f.watch = &network.NotifyBundle{DisconnectedF: func(n network.Network, c network.Conn) {
		if n.Connectedness(c.RemotePeer()) != network.Connected {
			f.admit.forget(c.RemotePeer())
		}
	}}
	h.Network().Notify(f.watch)
	h.SetStreamHandler(admitProtocol, f.admit.serve)
	f.Handle(packetProtocol, f.readers.serve)
	return f, nil
}

// Close ends what runs on the host, and waits for it. The host stays as it is.
func (f *Foreign) Close() error {
	f.closing.Do(func() {
		f.handlers.Lock()
		for _, p := range f.names {
			f.host.RemoveStreamHandler(p)
		}
		f.names = nil
		f.handlers.Unlock()
		f.host.RemoveStreamHandler(admitProtocol)
		f.host.Network().StopNotify(f.watch)
		f.admit.close()
		f.served.reset()
		f.streams.close()
		f.served.wait()
	})
	return nil
}

// ID is who the host is.
func (f *Foreign) ID() peer.ID { return f.host.ID() }

// Addrs is where others reach the host, as libp2p knows it.
func (f *Foreign) Addrs() []ma.Multiaddr { return f.host.Addrs() }

// Connect reaches a peer and has both sides prove that they are members.
func (f *Foreign) Connect(ctx context.Context, to peer.AddrInfo) error {
	if err := f.host.Connect(ctx, to); err != nil {
		return err
	}
	f.admit.forget(to.ID) // who asks for a connection wants to know
	return f.admit.greet(ctx, to.ID)
}

// Learn adds addresses under which a peer may be found.
func (f *Foreign) Learn(id peer.ID, addrs []ma.Multiaddr) {
	f.host.Peerstore().AddAddrs(id, addrs, peerstore.RecentlyConnectedAddrTTL)
}

// Forget drops a peer's addresses, unless it is connected.
func (f *Foreign) Forget(id peer.ID) {
	if f.host.Network().Connectedness(id) != network.Connected {
		f.host.Peerstore().ClearAddrs(id)
	}
}

// Knows reports whether there is a connection with a peer or an address to try.
func (f *Foreign) Knows(id peer.ID) bool {
	return f.host.Network().Connectedness(id) == network.Connected || len(f.host.Peerstore().Addrs(id)) > 0
}

// SendPacket queues a packet for a peer's stream. It does not block.
func (f *Foreign) SendPacket(to peer.ID, kind byte, b []byte) error {
	if len(b) > MaxPacket {
		f.packets.counts.oversized.Add(1)
		return fmt.Errorf("a packet of %d bytes is longer than %d", len(b), MaxPacket)
	}
	return f.streams.send(to, append([]byte{kind}, b...))
}

// HandlePackets has g called for packets of a kind; nil ends that.
func (f *Foreign) HandlePackets(kind byte, g func(Source, []byte)) { f.packets.handle(kind, g) }

// OpenStream opens a stream to a member, connecting and proving first if need be.
func (f *Foreign) OpenStream(ctx context.Context, to peer.ID, p protocol.ID) (network.Stream, error) {
	if err := f.admit.greet(ctx, to); err != nil {
		return nil, err
	}
	return f.host.NewStream(ctx, to, p)
}

// Handle has g called, on a goroutine of its own, for each stream that a member opens for p; nil ends that.
func (f *Foreign) Handle(p protocol.ID, g func(network.Stream)) {
	f.handlers.Lock()
	defer f.handlers.Unlock()
	f.names = slices.DeleteFunc(f.names, func(q protocol.ID) bool { return q == p })
	if g == nil {
		f.host.RemoveStreamHandler(p)
		return
	}
	f.names = append(f.names, p)
	f.host.SetStreamHandler(p, func(s network.Stream) {
		if !f.admit.knows(s.Conn().RemotePeer()) {
			s.Reset()
			f.admit.refusals.refuse(NoCertificate, nil, ErrNoCertificate)
			return
		}
		if !f.served.begin(s) {
			s.Reset()
			return
		}
		defer f.served.end(s)
		g(s)
	})
}

// RTT is the round trip to a peer as libp2p has seen it; 0: not known.
func (f *Foreign) RTT(id peer.ID) time.Duration { return f.host.Peerstore().LatencyEWMA(id) }

// Stats counts what happened. Of the connections only those of members are counted.
func (f *Foreign) Stats() Stats {
	s := Stats{Admitted: f.admit.admitted.Load(), Connections: f.admit.count(), Refused: f.admit.refusals.snapshot()}
	c := &f.packets.counts
	s.SentOnStreams, s.GotOnStreams = c.sentStream.Load(), c.gotStream.Load()
	s.SentBytes, s.GotBytes = c.sentBytes.Load(), c.gotBytes.Load()
	return s
}

// servedStreams are those whose handlers run.
type servedStreams struct {
	mu    sync.Mutex
	open  map[network.Stream]struct{}
	over  bool
	going sync.WaitGroup
}

func (v *servedStreams) begin(s network.Stream) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.over {
		return false
	}
	v.open[s] = struct{}{}
	v.going.Add(1)
	return true
}

func (v *servedStreams) end(s network.Stream) {
	v.mu.Lock()
	delete(v.open, s)
	v.mu.Unlock()
	v.going.Done()
}

// reset ends the streams, so that their handlers end.
func (v *servedStreams) reset() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.over = true
	for s := range v.open {
		s.Reset()
	}
}

func (v *servedStreams) wait() { v.going.Wait() }
