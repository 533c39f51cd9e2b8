package gossip

import (
	"context"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"

	"github.com/filchsched/filch/gossip/core"
	"github.com/filchsched/filch/gossip/transport"
)

// do begins what the machine wants done; nothing here waits. c.mu is held. What comes
// before Serf runs (from SetRecord, say) is only what Serf is started with, or is wanted
// again later.
func (c *Cluster) do(e core.Effect) {
	switch e := e.(type) {
	case core.Changed:
		c.changed(e)
	case core.Announce:
		c.announceNewest(e.Tag)
	}
	if !c.isRunning() {
		return
	}
	switch e := e.(type) {
	case core.SendNews:
		c.sendNews(e)
	case core.FetchRecords:
		c.beginLocked(func() { c.fetch(e) })
	case core.Sync:
		c.beginLocked(func() { c.sync(peer.ID(e.With)) })
	case core.Redial:
		c.beginLocked(func() { c.redial(e.Seeds) })
	case core.RaiseIncarnation:
		c.beginLocked(func() { c.raiseIncarnation(e.Above) })
	}
}

func (c *Cluster) isRunning() bool {
	select {
	case <-c.running:
		return c.err == nil
	default:
		return false
	}
}

// sendNews seals a datagram for its receiver alone and sends it.
func (c *Cluster) sendNews(e core.SendNews) {
	to := peer.ID(e.To)
	sealed := c.seal.Seal(make([]byte, 0, len(e.Datagram)+transport.Overhead), to, e.Datagram)
	if err := c.cfg.Network.SendPacket(to, newsPackets, sealed); err != nil {
		c.counts.newsUnsent++ // the next one may fare better
	}
}

// newsArrived takes a datagram from the network, on the goroutine that reads its socket.
func (c *Cluster) newsArrived(from Source, b []byte) {
	plain, err := c.seal.Open(c.id, b)
	if err != nil {
		c.mu.Lock()
		c.counts.newsRefused++
		c.mu.Unlock()
		return
	}
	c.step(core.NewsArrived{From: core.ID(from.ID), Datagram: plain})
}

// An announcement is a tag that Serf shall broadcast.
type announcement struct{ tag core.Tag }

// announceNewest leaves the tag for the announcer, in place of one that it has not taken
// yet. c.mu is held.
func (c *Cluster) announceNewest(t core.Tag) {
	select {
	case <-c.announce:
	default:
	}
	c.announce <- announcement{t}
}

// announcer gives Serf the newest tag, one at a time: SetTags must not be called twice at
// once, and waits until the tag has gone out or broadcastTimeout is over, which is no
// matter.
func (c *Cluster) announcer(ctx context.Context) {
	for {
		select {
		case a := <-c.announce:
			tag := c.sign(a.tag)
			c.tags.announcing(tag)
			if err := c.serf.SetTags(serfTags(tag)); err != nil {
				c.log.Debug("announcing this node's record", "error", err)
			}
		case <-ctx.Done():
			return
		}
	}
}

// sync exchanges the whole state with a peer whose digest differs.
func (c *Cluster) sync(with peer.ID) {
	c.exchange(with)
	c.step(core.SyncEnded{With: core.ID(with)})
}

// exchange exchanges the whole state with a peer. It is memberlist's Join and not Serf's,
// which would tell everybody that we joined.
func (c *Cluster) exchange(with peer.ID) {
	if _, err := c.serf.Memberlist().Join([]string{transport.JoinAddress(with)}); err != nil {
		c.log.Debug("exchanging state", "with", with.String(), "error", err)
	}
}

// redialTimeout bounds one round of dialling seeds; the machine orders the next.
const redialTimeout = 20 * time.Second

// redial joins through all of the seeds, not just the first that answers: nodes that start
// at the same time would find each other in small groups otherwise, which take long to
// find each other.
func (c *Cluster) redial(seeds []core.Seed) {
	ctx, cancel := context.WithTimeout(c.ctx, redialTimeout)
	defer cancel()
	var dials sync.WaitGroup
	for _, s := range seeds {
		if s.ID == "" {
			continue // whoever answers there could be anybody
		}
		p := peer.AddrInfo{ID: peer.ID(s.ID), Addrs: multiaddrs(s.Addrs)}
		dials.Go(func() {
			if err := c.Join(ctx, []peer.AddrInfo{p}); err != nil {
				c.log.Debug("dialling a known peer", "error", err)
			}
		})
	}
	dials.Wait()
}

// multiaddrs parses addresses and leaves out those that are none.
func multiaddrs(texts []string) []multiaddr.Multiaddr {
	var addrs []multiaddr.Multiaddr
	for _, s := range texts {
		if a, err := multiaddr.NewMultiaddr(s); err == nil {
			addrs = append(addrs, a)
		}
	}
	return addrs
}

func (c *Cluster) raiseIncarnation(above uint64) {
	if c.doubled(time.Now()) {
		select {
		case c.broken <- ErrTwice:
		default:
		}
		return
	}
	next := above + 1
	if c.cfg.RaiseIncarnation != nil {
		n, err := c.cfg.RaiseIncarnation(above)
		if err != nil {
			c.log.Error("members remember a later start of this node, and a new number for it could not be stored",
				"incarnation", above, "error", err)
			return
		}
		next = n
	}
	c.log.Warn("members remember a later start of this node: was its data directory restored from a backup, or does another node run with a copy of it?",
		"incarnation", above, "now", next)
	c.step(core.IncarnationRaised{Incarnation: next})
}
