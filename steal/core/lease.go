package core

import (
	"maps"
	"slices"
	"time"
)

// A lane is one lease of an uplink: lane 0 is for the grantor's own jobs, the
// others for what the grantor itself holds, so that deadlines nest. A lane that
// belongs to a former incarnation of the grantor is taken out of its uplink and
// can never be extended again, while slots still point at it.
type lane struct {
	until time.Duration // what it holds may start before; 0: no lease
	key   uint64        // of the engine's leash; 0: none was needed yet
	onto  uint32        // the number under which we lend on what it holds; 0: none yet
}

// mayRun is the guard at every start and every sub-grant.
func (l *lane) mayRun(now time.Duration) bool { return now < l.until }

// leash returns the name of the deadline for the engine, which is told of it at
// the first use.
func (l *lane) leash(c *Core) uint64 {
	if l.key == 0 {
		c.leashes++
		l.key = c.leashes
		c.emit(Leash{l.key, l.until})
	}
	return l.key
}

// lane returns the lease of a number, making it when it is new.
func (u *uplink) lane(c *Core, n uint32) *lane {
	l := u.lanes[n]
	if l == nil {
		l = &lane{}
		u.lanes[n] = l
		u.laneList = append(u.laneList, l)
	}
	return l
}

// lapsed tells whether a lease ran out and nobody has acted on it.
func (l *lane) lapsed(now time.Duration) bool { return l.until != 0 && now >= l.until }

// takeAck is the holder's side of an acknowledgement. It extends leases from when
// the heartbeat was sent, which is before the grantor can have seen it.
func (c *Core) takeAck(u *uplink, m *Ack) {
	sent, ok := u.take(m.Beat)
	if !ok {
		return
	}
	u.heard = c.now
	u.measure(c.now - sent)
	u.state = linkOpen
	u.backoff = redialMin
	u.acked, u.ackedAt = true, sent
	if c.lapseDue(u) {
		return // too late: what was acknowledged has been given up, and the channel with it
	}
	c.extendLanes(u, m.Lanes, sent)
	if m.Sync {
		u.full = true
		u.nextBeat = c.now
		c.alarm(c.now)
	}
	c.thief.opened(c, u)
}

// extendLanes moves deadlines outwards, never back.
func (c *Core) extendLanes(u *uplink, lefts []LaneLeft, from time.Duration) {
	for _, left := range lefts {
		l := u.lanes[left.Lane]
		if l == nil && left.Lane == 0 {
			l = u.lane(c, 0)
		}
		until := from + min(HolderTTL, left.Left)
		if l == nil || left.Left <= 0 || until <= max(l.until, c.now) || l.lapsed(c.now) {
			continue
		}
		l.until = until
		u.lapses(c, until)
		if l.key != 0 {
			c.emit(Leash{l.key, until})
		}
	}
}

// lapseDue acts on deadlines that have passed: whatever has not started is
// dropped, commands are stopped, functions run on, and what was lent by somebody
// who is not its home goes to its home. The channel is opened anew before this
// node counts as a holder again, since its set has changed behind the grantor's back.
func (c *Core) lapseDue(u *uplink) bool {
	if c.now < u.lapseAt {
		if u.lapseAt != never {
			c.alarm(u.lapseAt)
		}
		return false
	}
	u.lapseAt = never
	var over []*lane
	for _, l := range u.laneList {
		if l.lapsed(c.now) {
			over = append(over, l)
		} else if l.until != 0 {
			u.lapses(c, l.until)
		}
	}
	any := false
	for _, l := range over {
		if u.hangs(l) {
			c.lapse(u, l)
			any = true
			continue
		}
		l.until = 0 // of nothing
		if l != u.lanes[0] {
			u.laneList = slices.DeleteFunc(u.laneList, func(o *lane) bool { return o == l })
			maps.DeleteFunc(u.lanes, func(_ uint32, o *lane) bool { return o == l })
		}
	}
	if any {
		c.closeLink(u)
	}
	return any
}

// lapses has the leases looked at at a time, or before.
func (u *uplink) lapses(c *Core, at time.Duration) {
	u.lapseAt = min(u.lapseAt, at)
	c.alarm(u.lapseAt)
}

// hangs tells whether anything that we hold hangs on a lease.
func (u *uplink) hangs(l *lane) bool {
	for _, h := range u.order {
		for k := range h.slots {
			if h.slots[k].lane == l {
				return true
			}
		}
	}
	return false
}

func (c *Core) lapse(u *uplink, l *lane) {
	l.until = 0
	c.note("lease from %s has run out", u.peer)
	for _, h := range u.order {
		keep := h.slots[:0]
		for k := range h.slots {
			q := h.slots[k]
			if q.lane == l && q.state == ClaimUnstarted {
				continue
			}
			if q.lane == l && q.state == ClaimRunning && h.terms.fences() && u.guest == nil {
				c.halt(h.piece(&q))
			}
			keep = append(keep, q)
		}
		clear(h.slots[len(keep):])
		h.slots = keep
		h.recount()
	}
	c.orphan(u, l, true)
	u.tidy()
}

// laneLeft is what is left of the lease l for those to whom we lend on: our own
// deadline bounds theirs.
func (c *Core) laneLeft(l *lane) time.Duration { return min(HolderTTL, l.until-c.now) }
