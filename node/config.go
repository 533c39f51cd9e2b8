package node

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/filchsched/filch/node/control"
	"github.com/filchsched/filch/node/internal/inmemory"
)

// Config says what a node is and where it listens. The zero Config is complete: a node on
// its own, which listens nowhere, keeps nothing on disk and knows nobody.
type Config struct {
	// Name is for people: in tables and logs. Default: the host's name.
	Name string
	// DataDir is where identity, secret and the count of starts are kept (made with mode
	// 0700). Without one the node has a new identity each time, and forgets its cluster.
	DataDir string
	// Join are join strings of one cluster, as "filch join-string" prints them. Without
	// any the node belongs to the cluster that its data directory remembers, else to a
	// new one.
	Join []string
	// Listen are where others reach this node: HOST:PORT, each one port for UDP and TCP;
	// port 0 picks one. Empty: nowhere; the node can still join others that listen.
	Listen []string
	// Host is a libp2p host of the program's own, which carries what the node has to say beside the program's own
	// protocols; then there is nothing to Listen on. The host's identity, an Ed25519 key, is the node's, and the host is not closed
	// with it. All members of a cluster have hosts of their own, or none has: a filch port does not talk to such hosts.
	Host host.Host
	// MDNS has the node look for members on the local network, and be found there.
	MDNS bool
	// Labels are what the owner says of this node. "rack" and "zone" say how far it is
	// from others; the rest is for choosing nodes.
	Labels map[string]string
	// Workers is how many cores are for tasks. Default: as many as may be used; of a node with a network, at most one
	// fewer than GOMAXPROCS, and at least one. Who names as many as GOMAXPROCS should raise that by one.
	Workers int
	// Accept lists the kinds of tasks that this node runs for others beside registered Go
	// functions: "exec" are commands, which run as this process's user.
	Accept []string
	// Functions are the Go functions that tasks may call here, by name. Nodes that know one
	// call it by the same name. Register adds some later.
	Functions map[string]Function
	// EncodeAlways has typed functions called with what is left of their arguments when they have been encoded and
	// decoded, also where a call stays on the node, and their results likewise: tests find by it what would not travel. A call
	// whose function has changed its argument fails.
	EncodeAlways bool
	// Socket is the path of the control socket; empty: none.
	Socket string
	// ControlListen is a HOST:PORT where the control API is served on TCP to whoever has
	// ControlToken; empty: nowhere. It is plain HTTP.
	ControlListen string
	// ControlToken is the bearer token for it, at least 16 bytes. Default: one that is
	// made and kept in the data directory, in the file "control-token".
	ControlToken string
	// DrainTimeout bounds how long the end takes: for what runs to come to its end, and for
	// the goodbye. Default: 10 s.
	DrainTimeout time.Duration
	// Logger gets what the node has to say; a healthy one says little. Default: nothing.
	Logger *slog.Logger

	inMemory func(peer.ID) inmemory.Network // instead of a port; for package nodetest
}

// DefaultDrainTimeout is how long a node that ends waits for what runs, and tries to tell the
// others.
const DefaultDrainTimeout = 10 * time.Second

// KindExec is the kind of tasks that are operating-system commands.
const KindExec = "exec"

// Bounds of a configuration. The first ones are what an announcement has room for.
const (
	maxName       = 128 // bytes
	maxLabels     = 32
	maxLabelKey   = 64  // bytes
	maxLabelValue = 128 // bytes
	maxListen     = 32
	maxJoin       = 16
	maxWorkers    = 1 << 16
	minToken      = control.MinToken
)

// ErrConfig is wrapped by errors that a Config's contents are to blame for.
var ErrConfig = errors.New("invalid configuration")

// networked tells whether the configuration asks for other nodes at all.
func (c *Config) networked() bool {
	return len(c.Listen) > 0 || len(c.Join) > 0 || c.MDNS || c.Host != nil || c.inMemory != nil
}

// complete returns c with its defaults, or what is wrong with it.
func (c Config) complete() (Config, error) {
	if c.Name == "" {
		c.Name, _ = os.Hostname()
	}
	if c.Name == "" {
		c.Name = "node"
	}
	if c.DrainTimeout == 0 {
		c.DrainTimeout = DefaultDrainTimeout
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	c.Accept = slices.Compact(slices.Sorted(slices.Values(c.Accept)))
	if err := c.check(); err != nil {
		return c, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return c, nil
}

func (c *Config) check() error {
	switch {
	case len(c.Name) > maxName || strings.ContainsFunc(c.Name, unprintable):
		return fmt.Errorf("name %q: at most %d bytes and no control characters", clip(c.Name), maxName)
	case c.Workers < 0 || c.Workers > maxWorkers:
		return fmt.Errorf("workers: %d is not between 0 (as many as may be used) and %d", c.Workers, maxWorkers)
	case c.DrainTimeout < 0:
		return fmt.Errorf("drain time-out: %v is negative", c.DrainTimeout)
	case len(c.Listen) > maxListen:
		return fmt.Errorf("listen: %d addresses are more than %d", len(c.Listen), maxListen)
	case len(c.Join) > maxJoin:
		return fmt.Errorf("join: %d join strings are more than %d", len(c.Join), maxJoin)
	case c.ControlToken != "" && len(c.ControlToken) < minToken:
		return fmt.Errorf("control token: %d bytes are too few to be secret; use at least %d", len(c.ControlToken), minToken)
	case c.ControlToken != "" && c.ControlListen == "":
		return errors.New("control token: there is nothing it is for; say where to listen, too")
	case c.ControlListen != "" && c.ControlToken == "" && c.DataDir == "":
		return errors.New("control listen: needs a control token, or a data directory to keep one in")
	}
	if c.Host != nil && (c.MDNS || len(c.Listen) > 0) {
		return errors.New("host: a libp2p host of the program's own listens, and looks for others, by itself: leave Listen and MDNS empty")
	}
	if c.MDNS && len(c.Listen) == 0 {
		return errors.New("mdns: nobody can be found who listens nowhere; say where to listen, too")
	}
	for _, l := range c.Listen {
		if err := CheckListen(l); err != nil {
			return fmt.Errorf("listen: %w", err)
		}
	}
	if c.ControlListen != "" {
		if err := CheckListen(c.ControlListen); err != nil {
			return fmt.Errorf("control listen: %w", err)
		}
	}
	for _, k := range c.Accept {
		if k != KindExec {
			return fmt.Errorf("accept: there is no kind of task called %q; there is %q", clip(k), KindExec)
		}
	}
	return checkLabels(c.Labels)
}

// CheckListen returns what is wrong with a HOST:PORT to listen on. The host is an address,
// empty for all addresses, or localhost.
func CheckListen(s string) error {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return fmt.Errorf("%q is not HOST:PORT (an IPv6 address goes in brackets, as in [::1]:7447)", clip(s))
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("%q: the port is a number up to 65535; 0 picks one", clip(s))
	}
	if _, err := netip.ParseAddr(host); err != nil && host != "" && host != "localhost" {
		return fmt.Errorf("%q: the host is an address of this machine, not a name", clip(s))
	}
	return nil
}

func checkLabels(labels map[string]string) error {
	if len(labels) > maxLabels {
		return fmt.Errorf("labels: %d are more than %d", len(labels), maxLabels)
	}
	for k, v := range labels {
		if err := checkLabel(k, v); err != nil {
			return err
		}
	}
	return nil
}

func checkLabel(k, v string) error {
	switch {
	case k == "" || len(k) > maxLabelKey || strings.ContainsFunc(k, func(r rune) bool { return !keyRune(r) }):
		return fmt.Errorf("label %q: a key has 1 to %d letters, digits and ._/-", clip(k), maxLabelKey)
	case len(v) > maxLabelValue || strings.ContainsFunc(v, unprintable):
		return fmt.Errorf("label %s: a value has at most %d bytes and no control characters", k, maxLabelValue)
	}
	return nil
}

func keyRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._/-", r)
}

func unprintable(r rune) bool { return r < ' ' || r == 0x7f || r == '\u2028' || r == 0xfffd }

// clip bounds what an error repeats.
func clip(s string) string {
	const most = 60
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}
