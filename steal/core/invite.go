package core

import (
	"slices"
	"time"
)

// This file is about work that its holder cannot run itself: it has no cores, or the
// job keeps it from running here. When nobody has offered room, those who might
// have some are invited to ask.

// inviter is when to invite next, and whom not.
type inviter struct {
	at      time.Duration // not before
	again   bool          // and then for sure
	backoff time.Duration
	asked   []shun // who was invited a moment ago
}

const (
	inviteEvery = 250 * time.Millisecond // at first; nobody is invited more often
	inviteMax   = 8 * time.Second        // and at last, while nobody comes
	invitesEach = 2                      // at a time
	maxInvited  = 64                     // who are remembered
	maxProbes   = 32                     // members that are looked at for one that fits
)

func (c *Core) inviteDue() {
	switch v := &c.inviter; {
	case !v.again:
	case c.now < v.at:
		c.alarm(v.at)
	default:
		c.thief.mayHaveSurplus = true // serve comes by here if still nobody waits
	}
}

// invite is called when nobody's offer waits here.
func (c *Core) invite() {
	v := &c.inviter
	if c.now < v.at {
		return
	}
	sources, sum, stays := c.surplus()
	if c.cores == 0 {
		stays = 0
	}
	k := slices.IndexFunc(sources, func(s source) bool { return (c.cores == 0 || !s.stays) && !s.terms.Where.Local })
	if c.cfg.Host != "" || sum == stays || k < 0 {
		v.again, v.backoff = false, 0
		v.at = c.now + inviteEvery
		return
	}
	for range invitesEach {
		if p, ok := c.invitee(sources[k].terms); ok {
			c.emit(Send{To: p, Frame: Frame{Inc: c.cfg.Incarnation, Seq: 1, Msg: Invite{Surplus: sum - stays}}})
		}
	}
	v.backoff = min(max(2*v.backoff, inviteEvery), inviteMax)
	v.at, v.again = c.now+c.jitter(v.backoff), true
	c.alarm(v.at)
}

// invitee is the better of two random members that may be able to run a task: the
// nearer, then the one with more cores.
func (c *Core) invitee(t *Terms) (PeerID, bool) {
	v := &c.inviter
	v.asked = slices.DeleteFunc(v.asked, func(s shun) bool { return c.now >= s.until })
	var best *Member
	for found, tries := 0, 0; found < 2 && tries < maxProbes && len(c.near.members) > 0; tries++ {
		m := &c.near.members[c.rng.IntN(len(c.near.members))]
		if m.Peer == c.cfg.ID || !m.mayRun(t) || slices.ContainsFunc(v.asked, func(s shun) bool { return s.peer == m.Peer }) {
			continue
		}
		found++
		if best == nil || m.Level < best.Level || m.Level == best.Level && m.Cores > best.Cores {
			best = m
		}
	}
	if best == nil {
		return "", false
	}
	if len(v.asked) == maxInvited {
		v.asked = slices.Delete(v.asked, 0, 1)
	}
	v.asked = append(v.asked, shun{peer: best.Peer, until: c.now + c.jitter(4*max(v.backoff, inviteEvery))})
	return best.Peer, true
}

// mayRun tells whether a member, as far as is known, can run a task. Its labels are
// not known; its offer will tell.
func (m *Member) mayRun(t *Terms) bool {
	return (m.Kinds == nil || slices.Contains(m.Kinds, t.Kind)) && (m.Cores == 0 || int(m.Cores) >= t.Needs.CoresOrOne()) &&
		(len(t.Where.On) == 0 || slices.Contains(t.Where.On, m.Peer)) && !slices.Contains(t.Where.Avoid, m.Peer)
}

// invited makes who invites the next candidate. Nothing is believed of strangers.
func (c *Core) invited(from PeerID, surplus time.Duration) {
	if _, ok := c.near.find(from); !ok || surplus <= 0 {
		return
	}
	t := &c.thief
	t.believe(c.now, []Candidate{{Peer: from, Level: c.near.level(from), Surplus: min(surplus, time.Hour)}})
	t.beliefs[len(t.beliefs)-1].invited = true
	t.nextAsk = min(t.nextAsk, c.now+c.jitter(time.Millisecond))
	c.alarm(t.nextAsk)
}
