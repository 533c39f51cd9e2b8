package nodetest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/filchsched/filch/gossip/memnet"
	"github.com/filchsched/filch/node"
	"github.com/filchsched/filch/node/internal/inmemory"
)

// A Cluster is nodes in memory that are members of one cluster. Its methods may be called concurrently.
type Cluster struct {
	t     testing.TB
	world *memnet.World
	setup []func(i int, c *node.Config)

	mu    sync.Mutex
	nodes []*member
}

type member struct {
	node *node.Node
	net  *memnet.Node
	stop context.CancelFunc
	dead bool
}

// Start starts n nodes with a core each, and returns when each of them knows all. The setups may change the
// configuration of node i, from 0; a test that fails to start fails. The nodes end with the test.
func Start(t testing.TB, n int, setup ...func(i int, c *node.Config)) *Cluster {
	t.Helper()
	c := &Cluster{t: t, world: memnet.New(1), setup: setup}
	t.Cleanup(c.close)
	for range n {
		c.Add()
	}
	return c
}

// Workers is a setup: so many cores for each node.
func Workers(n int) func(int, *node.Config) {
	return func(_ int, c *node.Config) { c.Workers = n }
}

// Unencoded is a setup: calls that stay on a node are not encoded, as in production.
func Unencoded(_ int, c *node.Config) { c.EncodeAlways = false }

// Add starts one more node, and returns it when all know it.
func (c *Cluster) Add() *node.Node {
	c.t.Helper()
	c.mu.Lock()
	i := len(c.nodes)
	c.mu.Unlock()
	config := node.Config{Name: fmt.Sprint("n", i), Workers: 1, EncodeAlways: true}
	for _, set := range c.setup {
		set(i, &config)
	}
	if first := c.anyAlive(); first != nil {
		join, err := first.JoinString(context.Background())
		if err != nil {
			c.t.Fatalf("node %d: %v", i, err)
		}
		config.Join = append(config.Join, join)
	}
	m := new(member)
	inmemory.Use(&config, func(id peer.ID) inmemory.Network {
		m.net = c.world.Node(id)
		return m.net
	})
	ctx, stop := context.WithCancel(context.Background())
	m.stop = stop
	n, err := node.Start(ctx, config)
	if err != nil {
		stop()
		c.t.Fatalf("node %d: %v", i, err)
	}
	m.node = n
	c.mu.Lock()
	c.nodes = append(c.nodes, m)
	c.mu.Unlock()
	c.WaitKnown()
	return n
}

// Node returns node i, from 0.
func (c *Cluster) Node(i int) *node.Node {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.nodes[i].node
}

// Nodes returns those that were not killed.
func (c *Cluster) Nodes() (all []*node.Node) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range c.nodes {
		if !m.dead {
			all = append(all, m.node)
		}
	}
	return all
}

func (c *Cluster) anyAlive() *node.Node {
	if all := c.Nodes(); len(all) > 0 {
		return all[0]
	}
	return nil
}

// WaitKnown returns when each node knows all others that live as alive, and what they have.
func (c *Cluster) WaitKnown() {
	c.t.Helper()
	all := c.Nodes()
	for _, n := range all {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		known := knows(n, all)
		for range n.Watch(ctx) {
			if known = known || knows(n, all); known {
				break
			}
		}
		cancel()
		if !known && !knows(n, all) {
			c.t.Fatalf("%v does not know all of its %d members after a minute", n.ID(), len(all))
		}
	}
}

func knows(n *node.Node, all []*node.Node) bool {
	alive := make(map[string]bool)
	for _, m := range n.Members() {
		alive[m.ID] = m.State == "alive" && m.Cores > 0
	}
	for _, o := range all {
		if !alive[o.ID()] {
			return false
		}
	}
	return true
}

// Kill takes node i away without a word to the others, and waits until it has ended.
func (c *Cluster) Kill(i int) {
	c.mu.Lock()
	m := c.nodes[i]
	dead := m.dead
	m.dead = true
	c.mu.Unlock()
	if dead {
		return
	}
	m.net.Crash()
	m.stop()
	<-m.node.Done()
}

// Cut parts node i from all others; Heal ends that.
func (c *Cluster) Cut(i int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var rest []peer.ID
	for k, m := range c.nodes {
		if k != i {
			rest = append(rest, m.net.ID())
		}
	}
	c.world.Partition([]peer.ID{c.nodes[i].net.ID()}, rest)
}

// Heal mends what Cut has cut.
func (c *Cluster) Heal() { c.world.Heal() }

// Latency sets how long everything takes from one node to another.
func (c *Cluster) Latency(d time.Duration) {
	c.world.SetLatency(func(peer.ID, peer.ID) time.Duration { return d })
}

func (c *Cluster) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range c.nodes {
		m.stop()
	}
	for _, m := range c.nodes {
		<-m.node.Done()
	}
}
