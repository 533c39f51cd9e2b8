package host

import (
	"errors"
	"io"
	"net"
	"sync/atomic"
	"syscall"
	"time"

	manet "github.com/multiformats/go-multiaddr/net"
)

// greeting is what every member sends first over TCP: what libp2p negotiates with, and the
// name of our TLS. Who begins otherwise is a stranger. Who breaks off within it, or in the
// handshake behind it, may be a member whose dial over QUIC was faster.
const greeting = "\x13/multistream/1.0.0\n\x0d" + string(securityID) + "\n"

// tcpSocket is an accepted TCP connection, with what libp2p sets on it.
type tcpSocket interface {
	manet.Conn
	SetLinger(sec int) error
	SetKeepAlive(bool) error
	SetKeepAlivePeriod(time.Duration) error
}

// firstBytes compares what arrives on a connection with the greeting.
type firstBytes struct {
	tcpSocket
	read int         // of the greeting; only the reader uses it
	odd  atomic.Bool // it was not the greeting
}

// Read reads from the connection.
func (c *firstBytes) Read(b []byte) (int, error) {
	n, err := c.tcpSocket.Read(b)
	if c.read < len(greeting) {
		m := min(n, len(greeting)-c.read)
		if string(b[:m]) != greeting[c.read:c.read+m] {
			c.odd.Store(true)
		}
		c.read += m
	}
	return n, err
}

// cutOff tells whether a handshake failed because the connection ended, and not because of
// what came over it.
func cutOff(err error) bool {
	var late net.Error
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.As(err, &late) && late.Timeout()
}
