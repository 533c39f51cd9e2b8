package host

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	libp2phost "github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/peerstore"
	"github.com/libp2p/go-libp2p/core/protocol"
	blankhost "github.com/libp2p/go-libp2p/p2p/host/blank"
	"github.com/libp2p/go-libp2p/p2p/host/eventbus"
	"github.com/libp2p/go-libp2p/p2p/host/peerstore/pstoremem"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	"github.com/libp2p/go-libp2p/p2p/transport/quicreuse"
	ma "github.com/multiformats/go-multiaddr"
	"github.com/quic-go/quic-go"
)

// Host is one node's place on the network. All methods may be called
// concurrently. See the package comment.
type Host struct {
	cfg       Config
	log       *slog.Logger
	now       func() time.Time
	admission *admission
	refusals  *refusals
	doors     struct{ tcp, quic *door }
	sockets   *sockets
	packets   *packets
	readers   *packetReaders
	book      *book
	observed  *observed
	announced announced
	idle      *idleConns
	admitted  counter
	arrivals  arrivals
	summonses chan peer.ID // who asks to be called

	swarm    *swarm.Swarm
	blank    *blankhost.BlankHost
	quic     *quicreuse.ConnManager
	peers    peerstore.Peerstore
	lan      *discovery
	ctx      context.Context
	stop     context.CancelFunc
	wg       sync.WaitGroup
	closing  sync.Once
	closeErr error
}

// New starts a host. It listens when New returns, or New returns an error that
// says which address could not be had and why. The caller closes the host.
func New(cfg Config) (*Host, error) {
	cfg, err := cfg.checked()
	if err != nil {
		return nil, err
	}
	endpoints, err := parseListen(cfg.Listen)
	if err != nil {
		return nil, err
	}
	routeLogs(cfg.Logger)
	h := &Host{cfg: cfg, log: cfg.Logger, now: cfg.Now, observed: newObserved(), idle: newIdleConns(), summonses: make(chan peer.ID, maxCalls)}
	h.ctx, h.stop = context.WithCancel(context.Background())
	if h.book, err = openBook(cfg.BookFile); err != nil {
		h.log.Warn("the book of known peers is damaged", "error", err)
	}
	h.refusals = newRefusals(cfg.Logger, cfg.Now)
	h.admission = newAdmission(cfg, h.refusals)
	h.sockets = &sockets{}
	h.packets = newPackets(cfg.Identity.ID(), cfg.Secret.NewsKey(), cfg.NoUDP, h.sockets)
	h.packets.pathLog = func(id peer.ID, over string) { h.log.Info("packets take another way", "peer", id, "over", over) }
	h.packets.gone = func(id peer.ID) { go h.closeQUIC(id) }
	h.packets.summoned = h.summoned
	h.packets.connected = func(id peer.ID) bool { return h.swarm.Connectedness(id) == network.Connected }
	h.packets.streams = newPacketStreams(
		func(ctx context.Context, id peer.ID) (network.Stream, error) {
			return h.OpenStream(ctx, id, packetProtocol)
		}, h.reachable, &h.packets.counts)
	h.readers = &packetReaders{packets: h.packets, open: make(map[peer.ID]int), buckets: make(map[peer.ID]*bucket)}

	if err := h.build(); err != nil {
		h.Close()
		return nil, fmt.Errorf("starting the libp2p host: %w", err)
	}
	if err := h.open(endpoints); err != nil {
		h.Close()
		return nil, err
	}
	h.wg.Go(h.maintain)
	h.wg.Go(h.saveNews)
	h.wg.Go(h.tickPaths)
	h.wg.Go(h.callBack)
	return h, nil
}

// build assembles libp2p's parts. libp2p.New would do the same, and bring WebRTC,
// WebTransport, relays, NAT traversal, ping, identify and metrics along: code in
// the binary, memory, and endpoints.
func (h *Host) build() error {
	id := h.cfg.Identity
	store, err := pstoremem.NewPeerstore()
	if err != nil {
		return err
	}
	h.peers = store
	if err := store.AddPrivKey(id.ID(), id.Key()); err != nil {
		return err
	}
	if err := store.AddPubKey(id.ID(), id.Key().GetPublic()); err != nil {
		return err
	}
	bus := eventbus.NewBus()
	// Black hole detection would stop dialling over UDP for everybody after some
	// machines that are off; our paths find out for each peer.
	h.swarm, err = swarm.NewSwarm(id.ID(), store, bus,
		swarm.WithUDPBlackHoleSuccessCounter(nil), swarm.WithIPv6BlackHoleSuccessCounter(nil))
	if err != nil {
		return err
	}
	h.doors.tcp, h.doors.quic = newDoor(h.packets.memberHost), newDoor(h.packets.memberHost)
	if !h.cfg.NoUDP {
		if err := h.addQUIC(); err != nil {
			return err
		}
	}
	if !h.cfg.quicOnly() {
		t, err := newTCP(h.admission, h.doors.tcp, h.neighbour)
		if err != nil {
			return err
		}
		if err := h.swarm.AddTransport(t); err != nil {
			return err
		}
	}
	if h.blank = blankhost.NewBlankHost(h.swarm, blankhost.WithEventBus(bus)); h.blank == nil {
		return errors.New("libp2p's host did not start")
	}
	h.swarm.Notify(&network.NotifyBundle{ConnectedF: h.connected, DisconnectedF: h.disconnected})
	h.Handle(helloProtocol, h.answer)
	h.Handle(packetProtocol, h.readers.serve)
	return nil
}

func (h *Host) addQUIC() error {
	t := &quicTransport{admission: h.admission, door: h.doors.quic, neighbour: h.neighbour}
	opts := append([]quicreuse.Option{
		quicreuse.ConnContext(t.arrive), quicreuse.VerifySourceAddress(t.mustProveAddress), guard(h.packets),
	}, h.cfg.QUIC...) // a simulated network's sockets take the place of guarded ones
	h.packets.sieved = guarded && !h.cfg.quicOnly()
	reset, token, err := quicKeys(h.cfg)
	if err != nil {
		return err
	}
	if h.quic, err = quicreuse.NewConnManager(reset, token, opts...); err != nil {
		return err
	}
	t.sockets = h.quic
	return h.swarm.AddTransport(t)
}

// quicKeys are the same at each start of a node, so that after a crash its peers
// learn at once that their connections are gone.
func quicKeys(cfg Config) (reset quic.StatelessResetKey, token quic.TokenGeneratorKey, err error) {
	raw, err := cfg.Identity.Key().Raw()
	if err != nil {
		return reset, token, err
	}
	for label, key := range map[string][]byte{"filch 1 quic stateless reset": reset[:], "filch 1 quic token": token[:]} {
		derived, err := hkdf.Key(sha256.New, raw, nil, label, len(key))
		if err != nil {
			return reset, token, err
		}
		copy(key, derived)
	}
	return reset, token, nil
}

// open listens, and opens what depends on that.
func (h *Host) open(endpoints []endpoint) error {
	if err := h.listen(endpoints); err != nil {
		return err
	}
	listening := h.swarm.ListenAddresses()
	h.observed.listens(listening)
	for _, a := range listening {
		if !quicAddress.Matches(a) {
			continue
		}
		at, _, err := quicreuse.FromQuicMultiaddr(a)
		if err != nil {
			return err
		}
		if err := h.sockets.share(h.quic, at, h.packets.received); err != nil {
			return fmt.Errorf("sharing the UDP port of QUIC at %s: %w", at, err)
		}
	}
	h.refreshAddrs()
	if h.cfg.MDNS {
		h.lan = newDiscovery(h)
		h.lan.restart()
	}
	return nil
}

// Close closes all connections and waits until nothing of the host runs any more.
func (h *Host) Close() error {
	h.closing.Do(func() {
		h.stop()
		h.wg.Wait()
		if h.lan != nil {
			h.lan.close()
		}
		h.packets.streams.close()
		h.sockets.close()
		var errs []error
		if h.blank != nil {
			errs = append(errs, h.blank.Close())
		} else if h.swarm != nil {
			errs = append(errs, h.swarm.Close())
		}
		if h.quic != nil {
			errs = append(errs, h.quic.Close())
		}
		if h.peers != nil {
			errs = append(errs, h.peers.Close())
		}
		errs = append(errs, h.book.save())
		h.closeErr = errors.Join(errs...)
	})
	return h.closeErr
}

// ID returns this node's peer ID.
func (h *Host) ID() peer.ID { return h.cfg.Identity.ID() }

// Libp2p returns libp2p's view of the host. Streams that are opened through it
// wait for one round trip more than those of OpenStream.
func (h *Host) Libp2p() libp2phost.Host { return h.blank }

// ErrSelf says that a peer is this node itself.
var ErrSelf = errors.New("this is the node itself")

// Connect connects to a peer, unless there is a connection already, and returns
// when both sides have admitted each other. A peer that cannot be dialled is asked to call, where anybody
// can be asked to tell it. errors.As finds
// [identity.WrongClusterError] when the secrets differ, identity.ExpiredError when
// the peer's certificate has expired, [RefusedError] when the peer refused this node.
func (h *Host) Connect(ctx context.Context, to peer.AddrInfo) error {
	if to.ID == h.ID() {
		return ErrSelf
	}
	h.Learn(to.ID, to.Addrs)
	if h.swarm.Connectedness(to.ID) == network.Connected {
		return nil
	}
	return h.reach(ctx, to.ID)
}

// dialError puts what matters first: with several addresses, one peer's refusal
// counts more than another address that did not answer.
func dialError(id peer.ID, err error) error {
	var dial *swarm.DialError
	if errors.As(err, &dial) {
		for _, e := range dial.DialErrors {
			if why := reasonOf(e.Cause); why != NotFilch {
				return fmt.Errorf("connecting to %s at %s: %w", id, e.Address, e.Cause)
			}
		}
	}
	return fmt.Errorf("connecting to %s: %w", id, err)
}

// OpenStream opens a stream to a peer, connecting first if need be. It does not
// wait for the other side: a peer that does not know the protocol shows with the
// first read. The other side learns of the stream with the first bytes written.
func (h *Host) OpenStream(ctx context.Context, to peer.ID, p protocol.ID) (network.Stream, error) {
	if h.swarm.Connectedness(to) != network.Connected {
		if err := h.Connect(ctx, peer.AddrInfo{ID: to}); err != nil {
			return nil, err
		}
	}
	s, err := h.swarm.NewStream(network.WithNoDial(ctx, "connected before"), to)
	if err != nil {
		return nil, fmt.Errorf("opening a stream %s to %s: %w", p, to, err)
	}
	return lazily(s, p), nil
}

// Handle has f called, on a goroutine of its own, for each stream that a peer
// opens for the protocol; f closes or resets the stream. nil ends that.
func (h *Host) Handle(p protocol.ID, f func(network.Stream)) {
	if f == nil {
		h.blank.RemoveStreamHandler(p)
		return
	}
	h.blank.SetStreamHandler(p, f)
}

// SendPacket sends at most [MaxPacket] bytes to a peer, as a packet of a kind from
// 1 to [MaxKind]: as a datagram on QUIC's UDP port, or on a stream where UDP does
// not get through. It never blocks. An error says that the packet was certainly
// not sent; nil says nothing. The bytes are the caller's again when it returns.
// Datagrams are neither encrypted nor signed here.
func (h *Host) SendPacket(to peer.ID, kind byte, b []byte) error {
	return h.packets.send(to, kind, b)
}

// HandlePackets has f called for the packets of a kind from 1 to [MaxKind], from
// several goroutines; nil ends that. f must not block and may keep b. Datagrams
// beyond the rate that is granted to their source are dropped before. It panics
// for other kinds.
func (h *Host) HandlePackets(kind byte, f func(from Source, b []byte)) {
	if kind == 0 || kind > MaxKind {
		panic(fmt.Sprintf("host: kind %d of packets is not in 1..%d", kind, MaxKind))
	}
	h.packets.handle(kind, f)
}

// Heard tells the host that a datagram from the address was genuine and from the
// peer: UDP works, and the peer is there. Packets to it go there from now on.
func (h *Host) Heard(id peer.ID, from netip.AddrPort) { h.packets.heard(id, from) }

// Doubt tells the host that a peer did not answer a packet in time: whether UDP still gets there
// is to be found out.
func (h *Host) Doubt(id peer.ID) { h.packets.suspect(id) }

// PacketsOver tells which way packets to a peer take now: "udp" or "stream".
func (h *Host) PacketsOver(id peer.ID) string { return h.packets.over(id) }

// learnedLife is for how long addresses are kept; gossip renews or forgets them.
const learnedLife = 24 * time.Hour

// Learn adds addresses where a peer may be found, at most 16 of them. A peer ID at
// the end of an address is ignored.
func (h *Host) Learn(id peer.ID, addrs []ma.Multiaddr) {
	if id == h.ID() || len(addrs) == 0 {
		return
	}
	addrs = addrs[:min(len(addrs), maxAddrs)]
	plain := make([]ma.Multiaddr, 0, len(addrs))
	for _, a := range addrs {
		if t, _ := peer.SplitAddr(a); t != nil {
			plain = append(plain, t)
		}
	}
	h.packets.learn(id, plain)
	if len(h.peers.PeersWithAddrs()) < maxPeers {
		h.peers.AddAddrs(id, plain, learnedLife)
	}
}

// Forget drops what is known of a peer: addresses, its way for packets, its page
// in the book. Connections stay.
func (h *Host) Forget(id peer.ID) {
	h.packets.forget(id)
	h.peers.ClearAddrs(id)
	h.book.forget(id)
}

// Protect keeps connections to the peer open when they are idle; release ends that.
// Protections add up.
func (h *Host) Protect(id peer.ID) (release func()) { return h.idle.protect(id) }

// Known returns the peers that this host remembers, from before a restart as
// well, with the addresses that worked last; the peer met last comes first.
func (h *Host) Known() []peer.AddrInfo { return h.book.known() }

// reachable tells whether a stream to the peer may be possible.
func (h *Host) reachable(id peer.ID) bool {
	return h.swarm.Connectedness(id) == network.Connected || len(h.peers.Addrs(id)) > 0
}
