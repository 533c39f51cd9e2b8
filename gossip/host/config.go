package host

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/libp2p/go-libp2p/p2p/transport/quicreuse"

	"github.com/filchsched/filch/gossip/identity"
)

// DefaultCertLifetime is how long a membership certificate is valid. Nodes issue
// their own and renew them after two thirds of it.
const DefaultCertLifetime = 30 * 24 * time.Hour

// minCertLifetime keeps a mistake in a configuration from costing a signature for
// every handshake.
const minCertLifetime = time.Minute

// Config says how a Host is to be. Identity and Secret are required; all else
// has a zero value that does: a Host that listens nowhere, and dials.
type Config struct {
	Identity identity.Identity
	Secret   identity.Secret

	// Listen is where to listen, each as HOST:PORT, on UDP and TCP. An empty host is
	// every address of the machine. Port 0 is one number that is free on both, the same for all
	// endpoints that have 0. Empty: the host listens nowhere and only dials.
	Listen []string
	// MDNS announces this node to the local network, to members by the cluster's
	// public ID, and looks for others; see Found. It needs Listen.
	MDNS bool
	// BookFile remembers peers on disk; "" for none.
	BookFile string
	// NoUDP does without QUIC and datagrams.
	NoUDP bool

	Logger *slog.Logger     // nil: no logging
	Now    func() time.Time // the wall clock, for certificates and logs; nil: time.Now

	// CertLifetime is how long a certificate of this node is valid; 0: DefaultCertLifetime.
	CertLifetime time.Duration

	// QUIC options put the host on a simulated network, which has no TCP: only QUIC is used
	// then, and Listen names the simulated address. For tests.
	QUIC []quicreuse.Option
}

func (c Config) quicOnly() bool { return len(c.QUIC) > 0 }

func (c Config) checked() (Config, error) {
	switch {
	case c.Identity.Key() == nil:
		return c, errors.New("host: Config.Identity is missing")
	case c.Secret.IsZero():
		return c, errors.New("host: Config.Secret is missing")
	case c.CertLifetime != 0 && c.CertLifetime < minCertLifetime:
		return c, fmt.Errorf("host: Config.CertLifetime is %v, less than %v", c.CertLifetime, minCertLifetime)
	}
	if c.CertLifetime == 0 {
		c.CertLifetime = DefaultCertLifetime
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c, nil
}
