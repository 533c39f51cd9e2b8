package host

import (
	"io"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/protocol"
	mstream "github.com/multiformats/go-multistream"
)

// lazyStream names its protocol together with the first bytes that are written,
// and checks the other side's answer with the first that are read, so that
// opening a stream costs no round trip of its own. A peer that does not know the
// protocol resets the stream: the error comes with the first read.
type lazyStream struct {
	network.Stream
	rw io.ReadWriteCloser
}

func lazily(s network.Stream, p protocol.ID) *lazyStream {
	s.SetProtocol(p)
	return &lazyStream{Stream: s, rw: mstream.NewMSSelect(s, p)}
}

// Read reads, the answer to the protocol's name first.
func (s *lazyStream) Read(b []byte) (int, error) { return s.rw.Read(b) }

// Write writes, the protocol's name first.
func (s *lazyStream) Write(b []byte) (int, error) { return s.rw.Write(b) }

// Close ends both directions; what was written still arrives.
func (s *lazyStream) Close() error { return s.rw.Close() }

// CloseWrite ends what this side writes, and sends the protocol's name if
// nothing was written.
func (s *lazyStream) CloseWrite() error {
	if f, ok := s.rw.(interface{ Flush() error }); ok {
		if err := f.Flush(); err != nil {
			return err
		}
	}
	return s.Stream.CloseWrite()
}
