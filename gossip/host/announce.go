package host

import (
	"bytes"
	"slices"
	"sync/atomic"

	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// announced is what Addrs returns; refreshed by the host, replaced as a whole.
type announced struct{ atomic.Pointer[[]ma.Multiaddr] }

// Addrs returns where others reach this node: the addresses of its interfaces,
// where it listens on all of them, and what peers have seen. It follows changes
// within [maintainEvery]. Empty for a host that only dials.
func (h *Host) Addrs() []ma.Multiaddr {
	if p := h.announced.Load(); p != nil {
		return slices.Clone(*p)
	}
	return nil
}

// refreshAddrs looks at the interfaces again and tells whether something changed.
func (h *Host) refreshAddrs() bool {
	// libp2p's own answer may be a minute old.
	listening := h.swarm.ListenAddresses()
	if here, err := manet.InterfaceMultiaddrs(); err != nil {
		h.log.Debug("looking for this machine's addresses", "error", err)
	} else if len(listening) > 0 {
		if listening, err = manet.ResolveUnspecifiedAddresses(listening, here); err != nil {
			h.log.Debug("no address to announce", "error", err)
			listening = nil
		}
	}
	now := announce(listening, h.observed.addrs(h.now()))
	before := h.announced.Swap(&now)
	return before == nil || !slices.EqualFunc(*before, now, ma.Multiaddr.Equal)
}

// announce picks what to announce of the addresses that are listened on and of
// those that peers have seen. Loopback is for a node that has nothing else: to
// others it is another machine, and peers on this machine reach it at its other
// addresses as well. IPv6 link-local addresses mean nothing to others.
func announce(listening, seen []ma.Multiaddr) []ma.Multiaddr {
	var addrs, loopback []ma.Multiaddr
	for _, a := range append(slices.Clone(listening), seen...) {
		switch {
		case manet.IsIPUnspecified(a), manet.IsIP6LinkLocal(a):
		case manet.IsIPLoopback(a):
			loopback = append(loopback, a)
		default:
			addrs = append(addrs, a)
		}
	}
	if len(addrs) == 0 {
		addrs = loopback
	}
	slices.SortStableFunc(addrs, func(a, b ma.Multiaddr) int { return bytes.Compare(a.Bytes(), b.Bytes()) })
	addrs = slices.CompactFunc(addrs, ma.Multiaddr.Equal)
	return addrs[:min(len(addrs), maxAddrs)]
}
