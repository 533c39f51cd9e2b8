package gossip

import (
	"context"
	"errors"
	"fmt"

	"github.com/hashicorp/serf/serf"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/filchsched/filch/gossip/core"
	"github.com/filchsched/filch/gossip/transport"
)

// startSerf begins to take part. The events must be received from then on, always: a full
// channel stops memberlist.
func (c *Cluster) startSerf() (<-chan serf.Event, error) {
	t, err := transport.New(transport.Config{
		Network: c.cfg.Network, Key: c.cfg.Secret.GossipKey(), Observe: c.observe, Measured: c.measured, Logger: c.log,
	})
	if err != nil {
		return nil, err
	}
	events := make(chan serf.Event, eventQueue)
	cfg := c.serfConfig(t, events)
	c.mu.Lock()
	tag, _ := c.machine.Own()
	c.mu.Unlock()
	tag = c.sign(tag)
	c.tags.announcing(tag)
	cfg.Tags = serfTags(tag)
	s, err := serf.Create(cfg)
	if err != nil {
		t.Shutdown()
		return nil, err
	}
	c.serf, c.trans = s, t
	return events, nil
}

// stopSerf ends Serf, and receives its events until nobody sends any more.
func (c *Cluster) stopSerf(events <-chan serf.Event) {
	down := make(chan struct{})
	go func() {
		defer close(down)
		if err := c.serf.Shutdown(); err != nil {
			c.log.Warn("stopping the membership protocol", "error", err)
		}
	}()
	for {
		select {
		case <-events:
		case <-down:
			for {
				select {
				case <-events:
				default:
					return
				}
			}
		}
	}
}

// sign returns the tag with this node's signature.
func (c *Cluster) sign(t core.Tag) core.Tag {
	copy(t.Signature[:], c.cfg.Identity.Sign(t.Signed(core.ID(c.id))))
	return t
}

// serfEvent tells the machine what Serf found.
func (c *Cluster) serfEvent(e serf.Event) {
	m, ok := e.(serf.MemberEvent)
	if !ok {
		return // there are no user events and no queries
	}
	for _, member := range m.Members {
		id, err := transport.PeerOf(member.Name)
		if err != nil {
			continue // tags let nobody in whose name is not a peer ID
		}
		switch m.Type {
		case serf.EventMemberJoin, serf.EventMemberUpdate:
			tag, err := core.DecodeTag([]byte(member.Tags[tagName]))
			if err != nil {
				continue
			}
			c.memberSeen(member.Name, id, tag, m.Type == serf.EventMemberJoin)
		case serf.EventMemberLeave:
			c.memberGone(member.Name, id, core.Left)
		case serf.EventMemberFailed:
			c.memberGone(member.Name, id, core.Failed)
		case serf.EventMemberReap:
			c.tags.forgotten(member.Name)
			c.cfg.Network.Forget(id)
			c.step(core.MemberForgotten{ID: core.ID(id)})
		}
	}
}

func (c *Cluster) memberSeen(name string, id peer.ID, tag core.Tag, joined bool) {
	c.mu.Lock()
	c.vitals.seen(name, id, tag)
	c.mu.Unlock()
	if joined && id != c.id {
		c.log.Info("member joined", "member", name)
	}
	c.step(core.MemberSeen{ID: core.ID(id), State: core.Alive, Tag: tag})
	if joined {
		c.guess(id)
	}
}

func (c *Cluster) memberGone(name string, id peer.ID, state core.State) {
	c.mu.Lock()
	state = c.vitals.gone(name, state)
	delete(c.trips, id)
	if state == core.Failed {
		c.counts.failures++
	}
	c.mu.Unlock()
	if id != c.id {
		c.log.Info("member gone", "member", name, "state", state.String())
	}
	c.step(core.MemberGone{ID: core.ID(id), State: state})
}

// Join reaches the cluster through the first of the peers that answers, and tries them
// all in that order. It returns nil once the state has been exchanged with one of them,
// else what went wrong with each; *identity.WrongClusterError is among that where a peer
// is of another cluster.
func (c *Cluster) Join(ctx context.Context, peers []peer.AddrInfo) error {
	if err := c.ready(ctx); err != nil {
		return fmt.Errorf("gossip: joining: %w", err)
	}
	ctx, cancel := contextUntil(ctx, c.stopped)
	defer cancel()
	var failures []error
	for _, p := range peers {
		if p.ID == c.id {
			continue
		}
		err := c.joinOne(ctx, p)
		if err == nil {
			return nil
		}
		failures = append(failures, fmt.Errorf("gossip: joining through %s: %w", p.ID, err))
		if ctx.Err() != nil {
			break
		}
	}
	if len(failures) == 0 {
		return errors.New("gossip: joining: there is no peer to join through")
	}
	return errors.Join(failures...)
}

func (c *Cluster) joinOne(ctx context.Context, p peer.AddrInfo) error {
	c.cfg.Network.Learn(p.ID, p.Addrs)
	if err := c.cfg.Network.Connect(ctx, p); err != nil {
		return err
	}
	// Serf would hold a lock meanwhile; waiting here can be given up.
	select {
	case c.joining <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	done := make(chan error, 1)
	c.begin(func() {
		defer func() { <-c.joining }()
		_, err := c.serf.Join([]string{transport.JoinAddress(p.ID)}, true)
		done <- err
	})
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Leave says goodbye to the others, which then do not take this node for failed. Run goes
// on; the Cluster can not join again.
func (c *Cluster) Leave(ctx context.Context) error {
	if err := c.ready(ctx); err != nil {
		return fmt.Errorf("gossip: leaving: %w", err)
	}
	c.step(core.Leaving{})
	done := make(chan error, 1)
	c.begin(func() { done <- c.serf.Leave() })
	select {
	case err := <-done:
		if err != nil {
			return fmt.Errorf("gossip: leaving: %w", err)
		}
		return nil
	case <-c.stopped:
		return fmt.Errorf("gossip: leaving: %w", ErrStopped)
	case <-ctx.Done():
		return fmt.Errorf("gossip: leaving: %w", context.Cause(ctx))
	}
}
