//go:build !linux

package host

import "github.com/libp2p/go-libp2p/p2p/transport/quicreuse"

// guarded says that the sieve works behind QUIC only, on what it passes on.
const guarded = false

// guard does nothing here.
func guard(*packets) quicreuse.Option { return func(*quicreuse.ConnManager) error { return nil } }
