package gossip

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/filchsched/filch/gossip/core"
	"github.com/filchsched/filch/gossip/identity"
	"github.com/filchsched/filch/gossip/memnet"
	"github.com/filchsched/filch/gossip/transport"
)

// A world is a simulated cluster in a synctest bubble.
type world struct {
	t      testing.TB
	net    *memnet.World
	secret identity.Secret
	dice   *rand.Rand
	nodes  []*simNode
	logs   *logBuffer
}

// A simNode is one node of it, through all its starts.
type simNode struct {
	w           *world
	i           int
	identity    identity.Identity
	incarnation uint64

	net     *memnet.Node
	cluster *Cluster
	cancel  context.CancelFunc
	done    chan error
}

// logBuffer keeps what is logged at Warn or above.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.b.Len() < 1<<20 {
		l.b.Write(p)
	}
	return len(p), nil
}

// forget drops the lines that contain a text, which a test expects.
func (l *logBuffer) forget(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var kept []byte
	for line := range bytes.Lines(l.b.Bytes()) {
		if !bytes.Contains(line, []byte(text)) {
			kept = append(kept, line...)
		}
	}
	l.b.Reset()
	l.b.Write(kept)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func simIdentity(seed uint64, i int) identity.Identity {
	return identity.FromSeed(sha256.Sum256(binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, seed), uint64(i))))
}

// newWorld makes n nodes that do not run yet. Latencies are those of a plane a few
// milliseconds across, fixed per pair.
func newWorld(t testing.TB, seed uint64, n int) *world {
	w := &world{t: t, net: memnet.New(seed), dice: rand.New(rand.NewPCG(seed, 1)), logs: &logBuffer{}}
	w.secret = identity.Secret(sha256.Sum256([]byte("a secret of a test")))
	for i := range n {
		w.nodes = append(w.nodes, &simNode{w: w, i: i, identity: simIdentity(seed, i)})
	}
	w.net.SetLatency(func(a, b peer.ID) time.Duration {
		d := int(a[len(a)-1]) - int(b[len(b)-1])
		return 200*time.Microsecond + time.Duration(max(d, -d))*10*time.Microsecond
	})
	return w
}

func (w *world) id(i int) peer.ID { return w.nodes[i].identity.ID() }

func (n *simNode) config() Config {
	n.incarnation++
	return Config{
		Network: n.net, Identity: n.identity, Secret: n.w.secret, Incarnation: n.incarnation,
		Seed:   n.w.dice.Uint64() | 1,
		Logger: slog.New(slog.NewTextHandler(n.w.logs, &slog.HandlerOptions{Level: slog.LevelWarn})),
		Record: core.Record{
			Name: fmt.Sprintf("node-%03d", n.i), Arch: "amd64", OS: "linux", Cores: 8, Memory: 16 << 30,
			Kinds: []string{"exec", "func"}, Version: "0.1",
			Addrs:  []string{"/ip4/10.0.0.1/udp/4001/quic-v1", "/ip4/10.0.0.1/tcp/4001"},
			Labels: map[string]string{"rack": fmt.Sprintf("r%d", n.i/16)},
		},
		Seeds: n.seeds(),
	}
}

// seed is how node i is dialled.
func (w *world) seed(i int) peer.AddrInfo {
	id := w.id(i)
	return peer.AddrInfo{ID: id, Addrs: multiaddrs([]string{"/ip6/" + transport.IP(id).String() + "/udp/1/quic-v1"})}
}

// seeds are what the node would have in its address book: the one that it was told, and a
// few of the others.
func (n *simNode) seeds() []peer.AddrInfo {
	known := []peer.AddrInfo{n.w.seed(0)}
	for range 4 {
		known = append(known, n.w.seed(n.w.dice.IntN(len(n.w.nodes))))
	}
	return known
}

// start runs the node, with its identity of before and the next incarnation.
func (n *simNode) start() {
	n.net = n.w.net.Node(n.identity.ID())
	n.startWith(n.config())
}

func (n *simNode) startWith(cfg Config) {
	c, err := New(cfg)
	if err != nil {
		n.w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	n.cluster, n.cancel, n.done = c, cancel, make(chan error, 1)
	go func() { n.done <- c.Run(ctx) }()
}

// crash takes the node away without a word.
func (n *simNode) crash() {
	n.net.Crash()
	n.stop()
}

// stop ends the process, also without a word to members.
func (n *simNode) stop() {
	n.cancel()
	if err := <-n.done; err != nil {
		n.w.t.Errorf("node %d: %v", n.i, err)
	}
	n.net.Close()
	n.cluster = nil
}

func (w *world) stop() {
	var all sync.WaitGroup
	for _, n := range w.nodes {
		if n.cluster != nil {
			all.Go(n.stop)
		}
	}
	all.Wait()
	time.Sleep(time.Minute) // what memberlist still waits for, deadlines among it, runs out
	synctest.Wait()
}

func (w *world) running() []*simNode {
	return slices.DeleteFunc(slices.Clone(w.nodes), func(n *simNode) bool { return n.cluster == nil })
}

// burst starts every node that does not run and has each join through the first, all
// within a second.
func (w *world) burst() {
	for _, n := range w.nodes {
		if n.cluster != nil {
			continue
		}
		n.start()
		if n.i == 0 {
			continue
		}
		wait := time.Duration(w.dice.Int64N(int64(time.Second)))
		c, seed := n.cluster, w.id(0)
		go func() {
			time.Sleep(wait)
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			c.Join(ctx, []peer.AddrInfo{{ID: seed}}) // if it fails the node redials by itself
		}()
	}
}

// view counts the members of n's picture that are in a state.
func (n *simNode) view(states ...core.State) (count int) {
	for _, m := range n.cluster.Members() {
		if slices.Contains(states, m.State) {
			count++
		}
	}
	return count
}

// await polls, in virtual time, until every running node satisfies ok, and returns how
// long that took.
func (w *world) await(limit time.Duration, what string, ok func(n *simNode) bool) time.Duration {
	w.t.Helper()
	from := time.Now()
	for {
		waiting := 0
		for _, n := range w.running() {
			if !ok(n) {
				waiting++
			}
		}
		if waiting == 0 {
			return time.Since(from)
		}
		if time.Since(from) > limit {
			for _, n := range w.running()[:min(8, len(w.running()))] {
				w.t.Logf("node %d: %s", n.i, n.picture())
			}
			w.t.Fatalf("after %v %d of %d nodes do not see %s", limit, waiting, len(w.running()), what)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// complete reports whether n sees all running nodes, and nobody else, with their records.
func (n *simNode) complete() bool {
	s := n.cluster.Stats()
	running := n.w.running()
	if s.Present != len(running) {
		return false
	}
	for _, m := range n.cluster.Members() {
		if m.State.Present() && m.Record == nil {
			return false
		}
	}
	return true
}

// picture is what n sees, for a failing test.
func (n *simNode) picture() string {
	s := n.cluster.Stats()
	text := fmt.Sprintf("present %d, %+v;", s.Present, s)
	for _, m := range n.cluster.Members() {
		if m.State != core.Alive || m.Record == nil {
			text += fmt.Sprintf(" %q %s record %v", m.Name, m.State, m.Record != nil)
		}
	}
	return text
}
