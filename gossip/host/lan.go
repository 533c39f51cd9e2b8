package host

import (
	"sync"

	libp2phost "github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/discovery/mdns"
	ma "github.com/multiformats/go-multiaddr"
)

// foundQueue bounds the finds that nobody has taken yet; more are dropped, and
// found again.
const foundQueue = 64

// Found returns the channel of peers that were found on the local network; they
// say themselves that they are of this cluster, which only Connect proves. The
// same peer comes again and again. The channel is nil without Config.MDNS, and is
// not closed.
func (h *Host) Found() <-chan peer.AddrInfo {
	if h.lan == nil {
		return nil
	}
	return h.lan.found
}

// discovery announces the node by mDNS and listens for others.
type discovery struct {
	host    *Host
	service string
	found   chan peer.AddrInfo

	mu     sync.Mutex
	closed bool
	now    mdns.Service // nil while there is nothing to announce
}

func newDiscovery(h *Host) *discovery {
	return &discovery{host: h, service: serviceName(h.admission.cluster.ID()), found: make(chan peer.AddrInfo, foundQueue)}
}

// serviceName is what members look for. It tells clusters apart without telling
// anything of the secret; RFC 6763 allows 15 characters.
func serviceName(clusterID string) string { return "_filch" + clusterID[:9] + "._udp" }

// restart announces the addresses that the node has now.
func (d *discovery) restart() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return
	}
	d.stopLocked()
	if len(d.host.Addrs()) == 0 {
		return
	}
	s := mdns.NewMdnsService(announcer{d.host.blank, d.host}, d.service, d)
	if err := s.Start(); err != nil {
		d.host.log.Info("no discovery on the local network", "error", err)
		s.Close()
		return
	}
	d.now = s
}

func (d *discovery) stopLocked() {
	if d.now != nil {
		d.now.Close()
		d.now = nil
	}
}

func (d *discovery) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	d.stopLocked()
}

// HandlePeerFound is called by libp2p for each find.
func (d *discovery) HandlePeerFound(info peer.AddrInfo) {
	select {
	case d.found <- info:
	default:
	}
}

// announcer is the host as mDNS sees it: with the addresses that Addrs has now.
type announcer struct {
	libp2phost.Host
	h *Host
}

// Network is what mDNS asks for addresses.
func (a announcer) Network() network.Network { return announcerNetwork{a.Host.Network(), a.h} }

type announcerNetwork struct {
	network.Network
	h *Host
}

// InterfaceListenAddresses returns what the host announces.
func (a announcerNetwork) InterfaceListenAddresses() ([]ma.Multiaddr, error) { return a.h.Addrs(), nil }
