package gossip

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/transport/quicreuse"
	"github.com/marcopolo/simnet"
	"go.uber.org/goleak"

	"github.com/filchsched/filch/gossip/core"
	"github.com/filchsched/filch/gossip/host"
	"github.com/filchsched/filch/gossip/identity"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A hostNode is a cluster's member on a real host.
type hostNode struct {
	host    *host.Host
	cluster *Cluster
	stop    func()
}

// startHost starts a member; cfg says where its host listens.
func startHost(t testing.TB, i int, secret identity.Secret, cfg host.Config, log *logBuffer) *hostNode {
	t.Helper()
	logger := slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelWarn}))
	cfg.Identity, cfg.Secret, cfg.Logger = simIdentity(7, i), secret, logger
	h, err := host.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	record := core.Record{Name: fmt.Sprintf("node-%d", i), Arch: "amd64", OS: "linux", Cores: 4}
	for _, a := range h.Addrs() {
		record.Addrs = append(record.Addrs, a.String())
	}
	c, err := New(Config{
		Network: NewHostNetwork(h), Identity: cfg.Identity, Secret: secret, Record: record, Incarnation: 1, Logger: logger,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	return &hostNode{h, c, func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("node %d: %v", i, err)
		}
		if err := h.Close(); err != nil {
			t.Errorf("node %d: closing its host: %v", i, err)
		}
	}}
}

func (n *hostNode) info() peer.AddrInfo {
	return peer.AddrInfo{ID: n.host.ID(), Addrs: n.host.Addrs()}
}

// sees reports whether n has so many members, each with its record.
func (n *hostNode) sees(members int) bool {
	count := 0
	for _, m := range n.cluster.Members() {
		if m.State == core.Alive && m.Record != nil {
			count++
		}
	}
	return count == members
}

// knowsTrips reports whether n knows the round trip to every other member, and that it is
// one of a single machine.
func (n *hostNode) knowsTrips() bool {
	for _, m := range n.cluster.Members() {
		if !m.Self && (m.RTT <= 0 || m.RTT > time.Second) {
			return false
		}
	}
	return true
}

// waitFor waits, by the changes that a node tells of, until ok.
func (n *hostNode) waitFor(ctx context.Context, ok func() bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	changes := n.cluster.Watch(ctx)
	for !ok() {
		if _, more := <-changes; !more {
			return fmt.Errorf("%w; members %+v; stats %+v", context.Cause(ctx), n.cluster.Members(), n.cluster.Stats())
		}
	}
	return nil
}

// TestRealHostsOnLoopback: five members over QUIC, TCP and UDP of this machine find each
// other with all their records, learn of a goodbye, and tell each other their load.
func TestRealHostsOnLoopback(t *testing.T) {
	secret := identity.Secret(sha256.Sum256([]byte("loopback")))
	log := &logBuffer{}
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	var nodes []*hostNode
	for i := range 5 {
		n := startHost(t, i, secret, host.Config{Listen: []string{"127.0.0.1:0"}}, log)
		defer func() { n.stop() }()
		nodes = append(nodes, n)
		if i > 0 {
			if err := n.cluster.Join(ctx, []peer.AddrInfo{nodes[0].info()}); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i, n := range nodes {
		if err := n.waitFor(ctx, func() bool { return n.sees(5) }); err != nil {
			t.Fatalf("node %d: %v", i, err)
		}
	}
	for i, n := range nodes {
		if err := n.waitFor(ctx, n.knowsTrips); err != nil {
			t.Fatalf("node %d does not know how far the others are: %v", i, err)
		}
	}
	for _, n := range nodes[1:] {
		n.cluster.SetLoad(core.Load{FreeCores: 4})
	}
	nodes[0].cluster.SetLoad(core.Load{Waiting: 100, Queued: time.Minute})
	for i, n := range nodes[1:] {
		err := n.waitFor(ctx, func() bool {
			m, _ := n.cluster.Member(nodes[0].host.ID())
			return m.Heard && m.News.Standing&core.Surplus != 0
		})
		if err != nil {
			t.Fatalf("node %d does not hear of the surplus: %v", i+1, err)
		}
	}
	if err := nodes[4].cluster.Leave(ctx); err != nil {
		t.Error(err)
	}
	for i, n := range nodes[:4] {
		err := n.waitFor(ctx, func() bool {
			m, _ := n.cluster.Member(nodes[4].host.ID())
			return m.State == core.Left
		})
		if err != nil {
			t.Fatalf("node %d does not hear of the goodbye: %v", i, err)
		}
	}
	for line := range strings.Lines(log.String()) {
		t.Errorf("a healthy cluster is quiet, this one logged: %s", line)
	}
}

// TestJoiningAnotherClusterSaysSo: who has another secret is told that this is it.
func TestJoiningAnotherClusterSaysSo(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	log := &logBuffer{}
	listen := host.Config{Listen: []string{"127.0.0.1:0"}}
	ours := startHost(t, 0, identity.Secret(sha256.Sum256([]byte("ours"))), listen, log)
	defer ours.stop()
	theirs := startHost(t, 1, identity.Secret(sha256.Sum256([]byte("theirs"))), listen, log)
	defer theirs.stop()
	err := theirs.cluster.Join(ctx, []peer.AddrInfo{ours.info()})
	if err == nil || !strings.Contains(err.Error(), "cluster") {
		t.Errorf("joining with another secret: %v", err)
	}
	if !ours.sees(1) || !theirs.sees(1) {
		t.Error("somebody got in")
	}
}

// fixedSource is the source address of every packet of a simulated host.
type fixedSource struct{ ip net.IP }

func (f fixedSource) PreferredSourceIPForDestination(*net.UDPAddr) (net.IP, error) { return f.ip, nil }

// simulatedSocket is a socket of the simulated network, which takes an IPv4 address of 4
// bytes for another than the same one of 16.
type simulatedSocket struct{ *simnet.SimConn }

func (s simulatedSocket) WriteTo(b []byte, to net.Addr) (int, error) {
	if at, ok := to.(*net.UDPAddr); ok {
		to = long(at)
	}
	return s.SimConn.WriteTo(b, to)
}

func long(at *net.UDPAddr) *net.UDPAddr {
	return &net.UDPAddr{IP: at.IP.To16(), Port: at.Port}
}

// simulatedHost is a host's configuration on a simulated network.
func simulatedHost(nw *simnet.Simnet, i int) host.Config {
	const speed = 1_000_000_000 // bits per second
	link := simnet.NodeBiDiLinkSettings{
		Downlink: simnet.LinkSettings{BitsPerSecond: speed}, Uplink: simnet.LinkSettings{BitsPerSecond: speed},
	}
	ip := simnet.IntToPublicIPv4(i)
	return host.Config{
		Listen: []string{net.JoinHostPort(ip.String(), "8000")},
		QUIC: []quicreuse.Option{
			quicreuse.OverrideSourceIPSelector(func() (quicreuse.SourceIPSelector, error) { return fixedSource{ip}, nil }),
			quicreuse.OverrideListenUDP(func(_ string, at *net.UDPAddr) (net.PacketConn, error) {
				return simulatedSocket{nw.NewEndpoint(long(at), link)}, nil
			}),
		},
	}
}

// TestTwentyHostsOnASimulatedNetwork: the real drivers, libp2p and QUIC included, on a
// network of 20 ms round trip in virtual time: burst join, load news, a crash, a goodbye.
func TestTwentyHostsOnASimulatedNetwork(t *testing.T) {
	const count = 20
	synctest.Test(t, func(t *testing.T) {
		nw := &simnet.Simnet{LatencyFunc: simnet.StaticLatency(10 * time.Millisecond), Logger: slog.New(slog.DiscardHandler)}
		secret := identity.Secret(sha256.Sum256([]byte("simnet")))
		log := &logBuffer{}
		nw.Start()
		defer nw.Close()
		var nodes []*hostNode
		for i := range count {
			nodes = append(nodes, startHost(t, i, secret, simulatedHost(nw, i), log))
		}
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
		defer cancel()
		begun := time.Now()
		for _, n := range nodes[1:] {
			go n.cluster.Join(ctx, []peer.AddrInfo{nodes[0].info()})
		}
		for i, n := range nodes {
			if err := n.waitFor(ctx, func() bool { return n.sees(count) }); err != nil {
				t.Fatalf("node %d: %v", i, err)
			}
		}
		joined := time.Since(begun)
		time.Sleep(time.Minute)
		connections := 0
		for _, n := range nodes {
			connections += len(n.host.Libp2p().Network().Conns())
		}

		crashed, left := nodes[13], nodes[7]
		crashed.stop()
		begun = time.Now()
		rest := append(append([]*hostNode{}, nodes[:13]...), nodes[14:]...)
		for i, n := range rest {
			err := n.waitFor(ctx, func() bool {
				m, _ := n.cluster.Member(crashed.host.ID())
				return m.State == core.Failed
			})
			if err != nil {
				t.Fatalf("node %d does not notice the crash: %v", i, err)
			}
		}
		noticed := time.Since(begun)
		begun = time.Now()
		if err := left.cluster.Leave(ctx); err != nil {
			t.Error(err)
		}
		for i, n := range rest {
			err := n.waitFor(ctx, func() bool {
				m, _ := n.cluster.Member(left.host.ID())
				return n == left || m.State == core.Left
			})
			if err != nil {
				t.Fatalf("node %d does not hear of the goodbye: %v", i, err)
			}
		}
		t.Logf("20 hosts, 20 ms round trip: joined in %v, crash known to all after %v, goodbye after %v; %.1f connections per host when idle",
			joined, noticed, time.Since(begun), float64(connections)/count)
		for _, n := range rest {
			if f := n.cluster.Stats().Failures; f != 1 {
				t.Errorf("%d failures declared, there was one: %+v", f, n.cluster.Stats())
			}
			n.stop()
		}
		if text := log.String(); text != "" {
			t.Errorf("a healthy cluster is quiet, this one logged:\n%.3000s", text)
		}
		time.Sleep(5 * time.Minute) // timers of QUIC and memberlist run out
	})
}

// TestLibraryLines: what Serf and memberlist say has the level that it deserves.
func TestLibraryLines(t *testing.T) {
	for line, want := range map[string]slog.Level{
		"[DEBUG] memberlist: Stream connection from=x":                     slog.LevelDebug,
		"[INFO] serf: EventMemberJoin: a fd00::1":                          slog.LevelDebug,
		"[WARN] memberlist: Refuting a suspect message (from: b)":          slog.LevelDebug,
		"[ERR] memberlist: Failed fallback TCP ping: timeout 1s: EOF":      slog.LevelDebug,
		"[WARN] serf: something unheard of: 5":                             slog.LevelWarn,
		"[ERR] memberlist: Conflicting address for x. Mine: a:1 Theirs: b": slog.LevelError,
		"no mark at all": slog.LevelWarn,
		"[TRACE] serf: Rejected coordinate from x: y":                       slog.LevelDebug,
		"[WARN] memberlist: handler queue full, dropping message (4) from=": slog.LevelDebug,
	} {
		if got, _ := libraryLine([]byte(line + "\n")); got != want {
			t.Errorf("%q has level %v, want %v", line, got, want)
		}
	}
	var out bytes.Buffer
	l := libraryLogger(slog.New(slog.NewTextHandler(&out, nil)))
	for i := range 100 {
		l.Printf("[WARN] serf: something unheard of: %d", i)
	}
	if lines := strings.Count(out.String(), "\n"); lines != 1 {
		t.Errorf("one kind of line is logged %d times at once", lines)
	}
}
