package host

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/p2p/transport/quicreuse"
)

// maxDatagram bounds what is read of one datagram.
const maxDatagram = 2048

// sockets are the UDP sockets that the node listens on, seen from beside QUIC.
type sockets struct {
	mu    sync.RWMutex
	conns []net.PacketConn          // set before the first packet, emptied by close
	from  map[netip.Addr]netip.Addr // which of our addresses reaches a host; cleared when addresses change
	wg    sync.WaitGroup
}

var errNoSocket = errors.New("no UDP socket for an address of this family")

// share opens the side door of a QUIC socket and reads what is not QUIC.
func (s *sockets) share(cm *quicreuse.ConnManager, local *net.UDPAddr, got func([]byte, netip.AddrPort)) error {
	if err := openSideDoor(cm, local); err != nil {
		return err
	}
	conn, err := cm.SharedNonQUICPacketConn("udp", local)
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.conns = append(s.conns, conn)
	s.mu.Unlock()
	s.wg.Go(func() {
		buf := make([]byte, maxDatagram)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			if u, ok := from.(*net.UDPAddr); ok {
				got(append([]byte(nil), buf[:n]...), u.AddrPort())
			}
		}
	})
	return nil
}

// openSideDoor has QUIC keep what is not QUIC: it drops that until it is read for
// the first time, so the first datagrams would depend on when a goroutine starts.
// It reads with a deadline that is over.
func openSideDoor(cm *quicreuse.ConnManager, local *net.UDPAddr) error {
	conn, err := cm.SharedNonQUICPacketConn("udp", local)
	if err != nil {
		return err
	}
	conn.SetReadDeadline(time.Unix(0, 0))
	conn.ReadFrom(make([]byte, 1))
	return conn.Close()
}

// any tells whether there is a socket at all; a node that listens nowhere has none.
func (s *sockets) any() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.conns) > 0
}

// write sends a datagram from the socket that reaches the address.
func (s *sockets) write(b []byte, to netip.AddrPort) error {
	conn := s.choose(to.Addr())
	if conn == nil {
		return errNoSocket
	}
	// 16 bytes as QUIC has them: a simulated network takes the forms for different addresses.
	ip := to.Addr().As16()
	_, err := conn.WriteTo(b, &net.UDPAddr{IP: ip[:], Port: int(to.Port()), Zone: to.Addr().Zone()})
	return err
}

// choose picks a socket: one that listens on all addresses of the family, or the
// one on the address that the system would send from, or any of the family.
func (s *sockets) choose(to netip.Addr) net.PacketConn {
	s.mu.RLock()
	var fits []net.PacketConn
	for _, c := range s.conns {
		local := addrOf(c.LocalAddr())
		if local.Is4() != to.Is4() {
			continue
		}
		if local.IsUnspecified() {
			s.mu.RUnlock()
			return c
		}
		fits = append(fits, c)
	}
	s.mu.RUnlock()
	switch len(fits) {
	case 0:
		return nil
	case 1:
		return fits[0]
	}
	source := s.sourceFor(to)
	for _, c := range fits {
		if addrOf(c.LocalAddr()) == source {
			return c
		}
	}
	return fits[0]
}

// maxSources bounds the remembered choices.
const maxSources = 4096

// sourceFor asks the system's routing table by connecting a UDP socket, which
// sends nothing, and remembers the answer.
func (s *sockets) sourceFor(to netip.Addr) netip.Addr {
	s.mu.RLock()
	source, known := s.from[to]
	s.mu.RUnlock()
	if known {
		return source
	}
	if c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(to, 9))); err == nil {
		source = addrOf(c.LocalAddr())
		c.Close()
	}
	s.mu.Lock()
	if s.from == nil || len(s.from) >= maxSources {
		s.from = make(map[netip.Addr]netip.Addr)
	}
	s.from[to] = source
	s.mu.Unlock()
	return source
}

// routesChanged forgets which of our addresses reaches whom.
func (s *sockets) routesChanged() {
	s.mu.Lock()
	s.from = nil
	s.mu.Unlock()
}

// close ends the reading and waits for it.
func (s *sockets) close() {
	s.mu.Lock()
	conns := s.conns
	s.conns = nil
	s.mu.Unlock()
	for _, c := range conns {
		c.Close()
	}
	s.wg.Wait()
}
