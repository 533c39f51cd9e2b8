package gossip

import (
	"context"
	"math"
	"math/rand/v2"
	"time"

	"github.com/hashicorp/serf/serf"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/filchsched/filch/gossip/core"
	"github.com/filchsched/filch/gossip/transport"
)

// memberlist knows which members it suspects and does not tell. But each suspicion goes
// through the transport, in or out, and so does each refutation: an announcement with a
// higher incarnation than the suspicion's.

// A vital is what went by about one member that is present. Its fields are under
// Cluster.mu.
type vital struct {
	id          peer.ID
	tag         core.Tag
	incarnation uint32 // the highest of memberlist's in which it was alive
	suspected   bool
	suspect     uint32    // the incarnation in which it was suspected
	ask         time.Time // when to ask it itself, while suspected
	leaves      bool      // it has said itself that it is gone
}

// vitals are those of the members that are present, by name.
type vitals map[string]*vital

func newVitals() vitals { return make(vitals) }

// seen says that Serf has a member present.
func (v vitals) seen(name string, id peer.ID, tag core.Tag) {
	x := v[name]
	if x == nil {
		x = &vital{id: id}
		v[name] = x
	}
	x.tag, x.suspected, x.leaves = tag, false, false
}

// gone says that Serf has a member no more, and returns what it is. To Serf who is gone
// without having announced it has failed; but the announcement is another message than the
// goodbye itself, and may come later.
func (v vitals) gone(name string, state core.State) core.State {
	if x := v[name]; x != nil && x.leaves {
		state = core.Left
	}
	delete(v, name)
	return state
}

// suspicionTime is how long memberlist takes a suspicion that others confirm to be worth
// waiting for a refutation; six times as long if nobody confirms it.
func suspicionTime(members int) time.Duration {
	return time.Duration(suspicionMult * math.Max(1, math.Log10(math.Max(1, float64(members)))) * float64(probeInterval))
}

// askAfter is when to ask a suspect itself. A member that is really gone has been
// confirmed and declared failed by then. Who is still suspected refuted, most likely, and
// this node is the one that the refutation did not reach: memberlist tells it to some
// members at random, and does not answer the same suspicion twice.
func askAfter(members int) time.Duration {
	return time.Duration((1.5 + rand.Float64()) * float64(suspicionTime(members)))
}

// passed takes a message and returns the member's new state, if it has one.
func (v vitals) passed(p transport.Passing) (*vital, core.State) {
	x := v[p.Node]
	if x == nil {
		return nil, 0
	}
	switch p.Kind {
	case transport.Alive:
		x.incarnation = max(x.incarnation, p.Incarnation)
		if x.suspected && p.Incarnation > x.suspect {
			x.suspected = false
			return x, core.Alive
		}
	case transport.Dead:
		x.leaves = x.leaves || p.From == p.Node && p.Incarnation >= x.incarnation
	case transport.Suspected:
		if p.Incarnation >= x.incarnation && !x.suspected {
			x.suspected, x.suspect, x.ask = true, p.Incarnation, time.Now().Add(askAfter(len(v)))
			return x, core.Suspect
		}
	}
	return nil, 0
}

// observe is called by the transport, for each message about a member's life.
func (c *Cluster) observe(p transport.Passing) {
	c.compareTags(p)
	c.mu.Lock()
	x, state := c.vitals.passed(p)
	var tag core.Tag
	if x != nil {
		tag = x.tag
		if state == core.Suspect && x.id != c.id {
			c.counts.suspicions++
		}
	}
	c.mu.Unlock()
	if x == nil || x.id == c.id {
		return
	}
	if state == core.Suspect {
		c.log.Debug("member suspected", "member", p.Node, "by", p.From)
	}
	c.step(core.MemberSeen{ID: core.ID(x.id), State: state, Tag: tag})
}

// askInterval is how often it is looked whom to ask.
const askInterval = time.Second

// leavingLook is how often it is looked for members that are said to leave, in rounds of
// askInterval. A goodbye takes two or three seconds. Who is still there after this has not
// said it, or has taken it back, and this node has not heard.
const leavingLook = 8

// askLoop exchanges state with members that have been suspect, or about to leave, for too long.
func (c *Cluster) askLoop(ctx context.Context) {
	tick := time.NewTicker(askInterval)
	defer tick.Stop()
	var leaving map[string]bool
	for round := 1; ; round++ {
		select {
		case <-tick.C:
			if id, ok := c.whomToAsk(); ok {
				c.exchange(id)
			}
			if round%leavingLook == 0 {
				leaving = c.askLeaving(leaving)
			}
		case <-ctx.Done():
			return
		}
	}
}

// askLeaving asks one of those that Serf has as about to leave, and had so the last time. It
// returns who is about to leave now.
func (c *Cluster) askLeaving(before map[string]bool) (now map[string]bool) {
	asked := false
	for _, m := range c.serf.Members() {
		if m.Status != serf.StatusLeaving || m.Name == c.id.String() {
			continue
		}
		if now == nil {
			now = make(map[string]bool)
		}
		now[m.Name] = true
		if id, err := transport.PeerOf(m.Name); err == nil && before[m.Name] && !asked {
			asked = true
			c.exchange(id)
		}
	}
	return now
}

// whomToAsk returns a suspect whose time has come, and gives it another.
func (c *Cluster) whomToAsk() (peer.ID, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	for _, x := range c.vitals {
		if x.suspected && x.id != c.id && !now.Before(x.ask) {
			x.ask = now.Add(askAfter(len(c.vitals)))
			return x.id, true
		}
	}
	return "", false
}
