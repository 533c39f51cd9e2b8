package host

import (
	"net"

	"github.com/libp2p/go-libp2p/p2p/transport/quicreuse"
	"golang.org/x/net/ipv4"
)

// guarded says that guard puts the sieve in front of QUIC.
const guarded = true

// guard has QUIC open its sockets with the sieve inside, so that a flood does not
// push members' packets out of the short queue between QUIC and us.
func guard(p *packets) quicreuse.Option {
	return quicreuse.OverrideListenUDP(func(network string, at *net.UDPAddr) (net.PacketConn, error) {
		c, err := net.ListenUDP(network, at)
		if err != nil {
			return nil, err
		}
		return &guardedSocket{UDPConn: c, batch: ipv4.NewPacketConn(c), packets: p}, nil
	})
}

// guardedSocket is a UDP socket that drops datagrams as they are read. quic-go
// reads through ReadBatch where there is one, and keeps its other
// optimisations.
type guardedSocket struct {
	*net.UDPConn
	batch   *ipv4.PacketConn
	packets *packets
}

// ReadBatch reads as quic-go would, and leaves dropped datagrams with a length of
// 0, which quic-go skips. They cannot be taken out: it keeps a buffer for each place.
func (s *guardedSocket) ReadBatch(ms []ipv4.Message, flags int) (int, error) {
	n, err := s.batch.ReadBatch(ms, flags)
	for i := range ms[:max(n, 0)] {
		m := &ms[i]
		if m.N == 0 || isQUIC(m.Buffers[0][0]) {
			continue
		}
		if from, ok := m.Addr.(*net.UDPAddr); !ok || !s.packets.pass(from.AddrPort()) {
			m.N = 0
		}
	}
	return n, err
}

// isQUIC tells by the first byte of a datagram whether it is QUIC's: one of the
// two upper bits is set.
func isQUIC(first byte) bool { return first&0xc0 != 0 }
