package node

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/filchsched/filch/gossip"
	"github.com/filchsched/filch/gossip/core"
	"github.com/filchsched/filch/gossip/identity"
)

// membership is what a node needs of its cluster: *gossip.Cluster.
type membership interface {
	Run(context.Context) error
	Join(context.Context, []peer.AddrInfo) error
	Leave(context.Context) error
	Learn(peer.AddrInfo)
	Members() []gossip.Member
	Member(peer.ID) (gossip.Member, bool)
	Watch(context.Context) <-chan gossip.Change
	SetRecord(func(*core.Record)) error
	SetLoad(core.Load)
	Stats() gossip.Stats
}

// A network is a node's part of the world: the port, and the cluster behind it.
type network struct {
	wire    wire
	cluster membership
}

func (n *network) close() {
	n.wire.Close()
}

// connect opens the port and prepares the cluster. dir is nil without a disk.
func (n *Node) connect(dir *dataDir) (*network, error) {
	w, err := openWire(n, dir)
	if err != nil {
		return nil, err
	}
	record := announcement(n.config, n.workers, n.memory)
	record.Kinds, record.Functions = n.kinds(), n.functionDigest()
	record.Addrs = announced(w.Addrs())
	c := gossip.Config{
		Network: w, Identity: n.self.identity, Secret: n.self.secret,
		Record: record, Incarnation: n.self.incarnation,
		Seeds: slices.Concat(n.invite.peers, w.Known()), Logger: n.log,
		LeaveWithin: n.config.DrainTimeout,
	}
	if dir != nil {
		c.RaiseIncarnation = dir.raiseIncarnation
	}
	cluster, err := gossip.New(c)
	if err != nil {
		w.Close()
		return nil, err
	}
	cluster.SetLoad(core.Load{FreeCores: n.workers}) // nothing runs yet
	return &network{wire: w, cluster: cluster}, nil
}

// Pauses between tries to join: the first at once, then growing up to a minute, each
// between half and all of it, so that a rack that boots does not knock in step.
const (
	joinPause    = 500 * time.Millisecond
	maxJoinPause = time.Minute
	joinTimeout  = 30 * time.Second // for one try
)

// join tries those whom the join strings name until one answers, and those whom mDNS
// finds, whenever it finds one.
func (n *Node) join(ctx context.Context) error {
	toTry := slices.DeleteFunc(slices.Clone(n.invite.peers), func(p peer.AddrInfo) bool { return p.ID == n.self.identity.ID() })
	if len(toTry) == 0 {
		n.hasJoined() // nobody to join: this is where the cluster begins, or mDNS has the word
	}
	try := make(chan time.Time, 1)
	try <- time.Now()
	again := (<-chan time.Time)(try)
	pause := joinPause
	for {
		select {
		case <-ctx.Done():
			return nil
		case found := <-n.network.wire.Found():
			if err := n.joinOnce(ctx, []peer.AddrInfo{found}); err != nil {
				n.problems.note("mdns", fmt.Sprintf("a member found on the local network cannot be joined: %v", err))
				n.log.Debug("joining who was found on the local network", "peer", found.ID, "err", err)
			}
		case <-again:
			again = nil
			if n.joined.Load() {
				continue
			}
			if err := n.joinOnce(ctx, toTry); err != nil {
				if fatal := n.cannotJoin(ctx, err); fatal != nil {
					return fatal
				}
				again = time.After(pause/2 + rand.N(pause/2))
				pause = min(2*pause, maxJoinPause)
			}
		}
	}
}

func (n *Node) joinOnce(ctx context.Context, peers []peer.AddrInfo) error {
	ctx, cancel := context.WithTimeout(ctx, joinTimeout)
	defer cancel()
	if err := n.network.cluster.Join(ctx, peers); err != nil {
		return err
	}
	n.problems.solve("join")
	n.hasJoined()
	return nil
}

// cannotJoin tells why joining failed, once for each reason, and returns an error if
// trying on makes no sense.
func (n *Node) cannotJoin(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	var wrong *identity.WrongClusterError
	if errors.As(err, &wrong) && n.self.fresh {
		if n.self.dir != "" {
			forgetSecret(n.self.dir) // a second try, with the right join string, is as the first
		}
		return fmt.Errorf("the join string is not of the cluster that its addresses belong to: %w", wrong)
	}
	if n.problems.note("join", err.Error()) {
		n.log.Warn("cannot join yet, trying on", "err", err)
	}
	return nil
}

// addrsPeriod is how often the node looks whether its addresses are still the same. A
// laptop that changes networks is found again by those that it dials, at once; this is
// for the others.
const addrsPeriod = 15 * time.Second

// followAddrs announces this node's addresses anew when they change.
func (n *Node) followAddrs(ctx context.Context) error {
	was := announced(n.network.wire.Addrs())
	tick := time.NewTicker(addrsPeriod)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		now := announced(n.network.wire.Addrs())
		if slices.Equal(was, now) {
			continue
		}
		n.log.Info("this node's addresses have changed", "addrs", now)
		if err := n.network.cluster.SetRecord(func(r *core.Record) { r.Addrs = now }); err != nil {
			n.log.Warn("the new addresses cannot be announced", "err", err)
			continue
		}
		was = now
	}
}
