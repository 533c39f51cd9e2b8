package stealnet

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/marcopolo/simnet"
	ma "github.com/multiformats/go-multiaddr"

	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/gossip/host"
	"github.com/filchsched/filch/steal"
	"github.com/filchsched/filch/steal/core"
)

// outlives is how long the commands of a node that is killed live on: what their supervisor takes.
const outlives = 500 * time.Millisecond

// A net20 is what all nodes have in common.
type net20 struct {
	sim   *simnet.Simnet
	mu    sync.Mutex // of sim's list of endpoints
	seed  uint64
	ward  *ward
	home  *home
	clock func() time.Duration
	ctx   context.Context
	all   sync.WaitGroup // of everything that nodes run
	nodes []*node
	kinds []task.Kind
	sum   steal.Stats // of drivers that have ended
}

// A node is a host with a driver, and what it is started with again.
type node struct {
	of          *net20
	i           int
	incarnation uint64
	member      core.Member
	id          peer.ID
	addrs       []ma.Multiaddr

	port   *port // what streams it has now
	conn   *simnet.SimConn
	x      *executor
	driver *steal.Driver
	cancel context.CancelFunc
	ended  chan struct{} // closed when the driver has ended

	down bool // it is being started again; the test's loop looks
}

// open has the node listen.
func (n *node) open(t *testing.T) {
	n.of.mu.Lock()
	defer n.of.mu.Unlock()
	one, err := host.New(simulated(n.of.sim, n.i, &n.conn))
	if err != nil {
		t.Error(err)
		return
	}
	n.port = &port{host: one}
}

// begin runs a driver on the open port, which knows everybody.
func (n *node) begin(t *testing.T) {
	n.incarnation++
	for _, o := range n.of.nodes {
		n.port.host.Learn(o.id, o.addrs)
	}
	n.x = &executor{id: n.member.Peer, ward: n.of.ward, clock: n.of.clock, runs: make(map[core.Piece]*running), until: make(map[uint64]time.Duration)}
	c := steal.Config{Core: core.Config{ID: n.x.id, Incarnation: n.incarnation, Seed: n.of.seed + uint64(n.i), Cores: 4, Kinds: slices.Clone(n.of.kinds), Key: [32]byte{byte(n.i)}, Check: true},
		Network: n.port, Executor: n.x, Clock: n.of.clock}
	if n.i == 0 {
		c.Home = n.of.home
	}
	d, err := steal.New(c)
	if err != nil {
		t.Error(err)
		return
	}
	ctx, cancel := context.WithCancel(n.of.ctx)
	ended, x := make(chan struct{}), n.x
	n.driver, n.cancel, n.ended = d, cancel, ended
	n.of.all.Go(func() {
		d.Run(ctx)
		close(ended)
		x.all.Wait()
	})
	var members []core.Member
	for _, o := range n.of.nodes {
		members = append(members, o.member)
	}
	d.Tell(core.Members{List: members})
}

// restart kills the node, so that nobody is told, and starts it again after a while with what it had
// on disk: its identity and the count of its starts.
func (n *node) restart(t *testing.T, after time.Duration) {
	n.conn.Close() // nothing goes out or comes in any more
	n.cancel()
	x := n.x
	n.of.all.Go(func() {
		time.Sleep(outlives)
		x.killAll()
	})
	<-n.ended
	n.of.count(n.driver)
	n.port.host.Close()
	select {
	case <-time.After(after):
		n.open(t)
		n.begin(t)
	case <-n.of.ctx.Done():
	}
}

// count adds up what a driver did.
func (n *net20) count(d *steal.Driver) {
	s := d.Stats()
	n.mu.Lock()
	defer n.mu.Unlock()
	n.sum.Steps += s.Steps
	n.sum.FramesOut += s.FramesOut
	n.sum.Garbage += s.Garbage
	n.sum.Broken += s.Broken
	n.sum.OutputsIn += s.OutputsIn
}

// restartOneIn is how many troubles there are to one restart.
const restartOneIn = 6

// hurt does something bad to a node, or to one of its streams. The home is not restarted: its jobs would be gone.
func (n *net20) hurt(t *testing.T, rng *rand.Rand, back chan<- *node) string {
	one := n.nodes[rng.IntN(len(n.nodes))]
	restart, after := rng.IntN(restartOneIn) == 0, time.Duration(rng.Int64N(int64(20*time.Second)))
	switch {
	case one.down:
		return "nothing, the node is down"
	case restart && one.i > 0:
		one.down = true
		n.all.Go(func() {
			one.restart(t, after)
			back <- one // has room for all
		})
		return "restart"
	}
	return one.port.hurt(rng)
}
