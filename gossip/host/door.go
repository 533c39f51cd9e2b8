package host

import (
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
)

// Bounds on connections that have not shown a certificate yet. Those of members'
// known addresses are counted apart from those of strangers, so that strangers
// cannot use up the members' room.
const (
	// maxKnocksPerAddress has to let in a whole rack behind one address that
	// starts at once. An IPv6 address counts by its /64, which is what one gets.
	maxKnocksPerAddress = 128
	// maxKnocks bounds memory: a handshake in progress holds some 50 to 100 KB.
	maxKnocks = 512
	// crowdedKnocks is from how many QUIC handshakes in progress on the dialler
	// has to show that its address is real (a Retry packet, one round trip more).
	crowdedKnocks = 32
)

// A door bounds the connections of one transport that are not admitted yet. When
// there is no room it gives up the oldest of the address that has the most: an
// honest handshake takes milliseconds, and what has been silent for long is not
// one. Safe for concurrent use.
type door struct {
	known func(netip.Addr) bool // whether a member has this address

	mu    sync.Mutex // guards all below, and all knocks
	rooms [2]room    // of strangers, of members' addresses
}

// A room holds knocks by address, each list in the order of arrival.
type room struct {
	byAddr map[netip.Addr][]*knock
	total  int
}

// A knock is one connection that is not admitted yet.
type knock struct {
	room *room
	addr netip.Addr
	// giveUp closes the connection; nil where that is not possible. It is called
	// without the lock.
	giveUp func()
	gone   bool
	// judged is set when the peer was refused for its certificate, and counted.
	judged atomic.Bool
}

func newDoor(known func(netip.Addr) bool) *door {
	d := &door{known: known}
	for i := range d.rooms {
		d.rooms[i].byAddr = make(map[netip.Addr][]*knock)
	}
	return d
}

// enter lets a connection begin its handshake, or returns nil. With giveUp, it is
// always let in and an older one may have to go.
func (d *door) enter(addr netip.Addr, giveUp func()) *knock {
	r, addr := d.roomOf(addr)
	d.mu.Lock()
	var victim *knock
	if len(r.byAddr[addr]) >= maxKnocksPerAddress {
		victim = r.oldest(addr)
	} else if r.total >= maxKnocks {
		victim = r.oldest(r.busiest())
	}
	if victim != nil {
		if giveUp == nil || victim.giveUp == nil {
			d.mu.Unlock()
			return nil
		}
		r.remove(victim)
	}
	k := &knock{room: r, addr: addr, giveUp: giveUp}
	r.byAddr[addr] = append(r.byAddr[addr], k)
	r.total++
	d.mu.Unlock()
	if victim != nil {
		victim.giveUp()
	}
	return k
}

// roomOf returns which room an address belongs to, and by what it counts there.
func (d *door) roomOf(addr netip.Addr) (*room, netip.Addr) {
	addr = addr.Unmap().WithZone("")
	r := &d.rooms[0]
	if d.known(addr) {
		r = &d.rooms[1]
	}
	if addr.Is6() {
		p, _ := addr.Prefix(64)
		addr = p.Addr()
	}
	return r, addr
}

// crowded tells whether the room of an address is so full that diallers should
// prove that they are there.
func (d *door) crowded(addr netip.Addr) bool {
	r, _ := d.roomOf(addr)
	d.mu.Lock()
	defer d.mu.Unlock()
	return r.total >= crowdedKnocks
}

// leave ends the time before admission, whichever way it ended. It tells
// whether it was the first to do so.
func (d *door) leave(k *knock) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return k.room.remove(k)
}

// pending returns how many connections are not admitted yet.
func (d *door) pending() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.rooms[0].total + d.rooms[1].total
}

func (r *room) oldest(addr netip.Addr) *knock {
	return r.byAddr[addr][0]
}

func (r *room) busiest() (addr netip.Addr) {
	most := 0
	for a, list := range r.byAddr {
		if len(list) > most {
			addr, most = a, len(list)
		}
	}
	return addr
}

func (r *room) remove(k *knock) bool {
	if k.gone {
		return false
	}
	k.gone = true
	r.total--
	list := r.byAddr[k.addr]
	for i, other := range list {
		if other == k {
			list = append(list[:i], list[i+1:]...)
			break
		}
	}
	if len(list) == 0 {
		delete(r.byAddr, k.addr)
	} else {
		r.byAddr[k.addr] = list
	}
	return true
}

// addrOf returns the address of a UDP or TCP peer.
func addrOf(a net.Addr) netip.Addr {
	switch a := a.(type) {
	case *net.UDPAddr:
		return a.AddrPort().Addr().Unmap()
	case *net.TCPAddr:
		return a.AddrPort().Addr().Unmap()
	}
	if ap, err := netip.ParseAddrPort(a.String()); err == nil {
		return ap.Addr().Unmap()
	}
	return netip.Addr{}
}
