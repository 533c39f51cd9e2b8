package host

import (
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
)

const (
	// minWitnesses peers have to see this node at one address before it is
	// announced: one alone may be wrong, or lie.
	minWitnesses = 2
	// witnessLife is for how long a peer's word counts.
	witnessLife = time.Hour
	// maxObserved bounds the addresses looked at, and the witnesses of each.
	maxObserved, maxWitnesses = 16, 16
)

// observed keeps where peers see this node: behind address translation, or in a
// container with a published port, that is an address that no interface has. Only
// what has the port that the node listens on counts: any other port was made up
// for one connection. Safe for concurrent use.
type observed struct {
	mu    sync.Mutex
	ports map[string]bool // that this node listens on
	seen  map[string]map[peer.ID]time.Time
}

func newObserved() *observed { return &observed{seen: make(map[string]map[peer.ID]time.Time)} }

// listens sets the ports that count.
func (o *observed) listens(addrs []ma.Multiaddr) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ports = make(map[string]bool)
	for _, a := range addrs {
		if port, err := a.ValueForProtocol(ma.P_UDP); err == nil {
			o.ports[port] = true
		}
	}
}

// saw takes a peer's word that this node is at an address.
func (o *observed) saw(by peer.ID, at ma.Multiaddr, now time.Time) {
	port, err := at.ValueForProtocol(ma.P_UDP)
	if err != nil {
		return // TCP connections come from a port of their own
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.ports[port] {
		return
	}
	key := string(at.Bytes())
	witnesses := o.seen[key]
	if witnesses == nil {
		if len(o.seen) >= maxObserved {
			o.expireLocked(now)
		}
		if len(o.seen) >= maxObserved {
			return
		}
		witnesses = make(map[peer.ID]time.Time)
		o.seen[key] = witnesses
	}
	if _, again := witnesses[by]; again || len(witnesses) < maxWitnesses {
		witnesses[by] = now
	}
}

// addrs returns what enough peers have seen.
func (o *observed) addrs(now time.Time) (addrs []ma.Multiaddr) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.expireLocked(now)
	for key, witnesses := range o.seen {
		if len(witnesses) < minWitnesses {
			continue
		}
		if a, err := ma.NewMultiaddrBytes([]byte(key)); err == nil {
			addrs = append(addrs, a)
		}
	}
	return addrs
}

func (o *observed) expireLocked(now time.Time) {
	for key, witnesses := range o.seen {
		for by, at := range witnesses {
			if now.Sub(at) > witnessLife {
				delete(witnesses, by)
			}
		}
		if len(witnesses) == 0 {
			delete(o.seen, key)
		}
	}
}
