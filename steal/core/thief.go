package core

import (
	"cmp"
	"slices"
	"time"
)

// thief is the part that looks for work elsewhere.
type thief struct {
	laidBusy bool // no core was free when the standing offer was laid
	beliefs  []belief
	shuns    []shun

	offers   uint64 // sent
	asking   PeerID
	source   PeerID // for whose work
	feeder   PeerID // who gave us something last, of what feedFor has, at fedAt
	feedFor  PeerID
	fedDepth uint8
	fedAt    time.Duration
	askedAt  time.Duration
	nextAsk  time.Duration
	tries    int
	hungry   time.Duration // since when there is room; never when there is none

	lifelines []PeerID
	laid      uint64 // the standing offer that is out; 0: none
	heard     []newsKey

	mayHaveSurplus bool // something was queued since the standing offers were looked at
}

type belief struct {
	Candidate
	at      time.Duration
	invited bool // it has invited us since we asked it last
}

// A shun is why a peer is not asked for a while.
type shun struct {
	peer   PeerID
	until  time.Duration
	times  uint
	reason string
}

// An ask is an offer of ours at a peer.
type ask struct {
	n        uint64
	standing bool
	sent     bool
	tasks    uint32 // at most, of a guest; else what slow start allows
}

const (
	triesBeforeQuiet = 3                // failed tries after which an offer is left at the lifelines
	askPatience      = 2 * time.Second  // for an answer, with the dial
	beliefLasts      = 10 * time.Second // older news of surplus is no reason to ask
	shunMin          = 50 * time.Millisecond
	maxShunDoubling  = 6
	maxBeliefs       = 256
	maxWindow        = 4096
	takeAhead        = time.Second          // a thief takes what it runs within about this
	maxAsk           = 3                    // peers that a victim without work names
	askSlack         = 5 * time.Millisecond // it asks while it has still a round trip and this of work,
	aheadWorth       = 64                   // unless a task is so many times longer
	maxAhead         = 1024                 // tasks per core that are asked for ahead
)

func (t *thief) init() { t.hungry = never }

func (t *thief) believe(now time.Duration, list []Candidate) {
	for _, c := range list {
		invited := false
		t.beliefs = slices.DeleteFunc(t.beliefs, func(b belief) bool {
			same := b.Peer == c.Peer
			invited = invited || same && b.invited
			return same
		})
		t.beliefs = append(t.beliefs, belief{c, now - c.Age, invited})
	}
	if over := len(t.beliefs) - maxBeliefs; over > 0 {
		t.beliefs = slices.Delete(t.beliefs, 0, over)
	}
}

func (t *thief) forget(p PeerID) {
	t.beliefs = slices.DeleteFunc(t.beliefs, func(b belief) bool { return b.Peer == p })
	if t.feeder == p {
		t.feeder = ""
	}
}

// room is how many tasks this node could use: free cores, and a little ahead when
// tasks are short against a round trip.
func (c *Core) room() int {
	if c.draining || c.overlent() {
		return 0
	}
	room, ahead := c.cores-c.inUse(), 0
	if c.collects() {
		room = min(room, 0)
	}
	for j := range c.queuedJobs() {
		spare := j.spare()
		if spare == 0 || c.barred(&j.terms) != "" {
			continue // it takes no core of ours
		}
		if room -= int(min(j.queue.Len(), spare, 1<<30)); room < -c.cores*maxAhead {
			return 0
		}
	}
	for _, u := range c.upOrder {
		most := u.canStart()
		for _, h := range u.order {
			if !c.mayStart(u, h) {
				continue
			}
			ahead = max(ahead, c.aheadOf(u, c.est.of(&h.terms)))
			n := min(h.unstarted, most)
			room -= int(n)
			most -= n
		}
	}
	return max(0, room+ahead)
}

// aheadOf is how many tasks are asked for ahead of those that free cores can take: what
// the cores do in a round trip, and at least one where that would be missed. The window of slow
// start bounds it, too: many small grants would be as much, and cost more.
func (c *Core) aheadOf(u *uplink, each time.Duration) int {
	trip := min(u.rtt, takeAhead/2) + askSlack
	if each > aheadWorth*trip {
		return 0
	}
	window := max(c.cores, int(u.window))
	return min(c.cores*maxAhead, window, int(time.Duration(c.cores)*trip/each)+1)
}

// hunt asks the next victim while there is room, and lays standing offers when
// several had nothing.
func (c *Core) hunt() {
	c.court()
	t := &c.thief
	room, kept := c.room(), c.kept()
	if room <= 0 {
		t.hungry = never
		c.thief.withdraw(c)
		if kept.tasks == 0 {
			return
		}
	} else if t.hungry == never {
		t.hungry = c.now
	}
	if t.laid != 0 && t.laidBusy && c.free() > 0 {
		t.withdraw(c) // it says that no core is free: who has little would keep it
		c.lay()
	}
	if t.asking != "" {
		return
	}
	if c.now < t.nextAsk {
		c.alarm(t.nextAsk)
		return
	}
	if p, source, ok := c.whom(); ok && t.tries < triesBeforeQuiet {
		t.accept(source)
		t.source, t.asking, t.askedAt = source, p, c.now
		c.offerTo(t.asking, false)
		c.alarm(c.now + askPatience)
		return
	}
	t.tries = 0
	t.nextAsk = c.now + c.jitter(time.Second)
	if len(t.beliefs) > 0 {
		c.alarm(t.nextAsk)
	}
	if kept.tasks > 0 {
		t.mayHaveSurplus = true // they are told that there is nothing
		c.alarm(c.now)
	}
	if t.laid == 0 && room > 0 {
		c.lay()
	}
}

// pick is the better of two random candidates of the nearest level that is
// believed to have surplus (Mitzenmacher's power of two choices). Who has invited us
// comes first, once for each invitation: its work starts nowhere else, and beside somebody
// who has more it would never be the better one.
func (t *thief) pick(c *Core) (belief, bool) {
	t.shuns = slices.DeleteFunc(t.shuns, func(s shun) bool { return c.now >= s.until+shunMin<<maxShunDoubling })
	t.beliefs = slices.DeleteFunc(t.beliefs, func(b belief) bool { return c.now-b.at > beliefLasts })
	var near []belief
	for _, b := range t.beliefs {
		if b.Surplus <= 0 || b.Peer == c.cfg.ID || t.shunned(c.now, b.Peer) {
			continue
		}
		if len(near) > 0 && (b.invited && !near[0].invited || b.invited == near[0].invited && b.Level < near[0].Level) {
			near = near[:0]
		}
		if len(near) == 0 || b.invited == near[0].invited && b.Level == near[0].Level {
			near = append(near, b)
		}
	}
	if len(near) == 0 {
		return belief{}, false
	}
	a := c.rng.IntN(len(near))
	if len(near) > 1 {
		b := c.rng.IntN(len(near) - 1)
		if b >= a {
			b++
		}
		if near[b].Surplus > near[a].Surplus {
			a = b
		}
	}
	return near[a], true
}

// accept uses an invitation up.
func (t *thief) accept(p PeerID) {
	if k := slices.IndexFunc(t.beliefs, func(b belief) bool { return b.Peer == p }); k >= 0 {
		t.beliefs[k].invited = false
	}
}

func (t *thief) shunned(now time.Duration, p PeerID) bool {
	return slices.ContainsFunc(t.shuns, func(s shun) bool { return s.peer == p && now < s.until })
}

// avoid keeps us from asking a peer for a while, longer each time in a row.
func (t *thief) avoid(c *Core, p PeerID, reason string) {
	k := slices.IndexFunc(t.shuns, func(s shun) bool { return s.peer == p })
	if k < 0 {
		k = len(t.shuns)
		t.shuns = append(t.shuns, shun{peer: p})
	}
	s := &t.shuns[k]
	s.until = c.now + c.jitter(shunMin<<min(s.times, maxShunDoubling))
	s.times++
	s.reason = reason
}

// offerTo puts an offer at a peer: at once on an open channel, else when it opens.
func (c *Core) offerTo(p PeerID, standing bool) {
	u := c.uplinkTo(p)
	n := c.thief.laid
	if !standing {
		c.thief.offers++
		n = c.thief.offers
	}
	u.offer = ask{n: n, standing: standing}
	if u.state == linkOpen {
		c.sendOffer(u)
		c.alarm(u.nextBeat)
	} else {
		c.alarm(max(c.now, u.redialAt))
	}
}

func (c *Core) sendOffer(u *uplink) {
	if u.guest != nil && !u.offer.sent {
		u.offer.sent = true
		u.send(c, c.guestOffer(u))
		return
	}
	room := c.room()
	var more demand
	if !u.offer.standing {
		more = c.kept()
	}
	if room <= 0 && more.tasks == 0 || u.offer.sent {
		return
	}
	u.offer.sent = true
	w := max(u.window, uint32(max(1, c.free())))
	if room <= 0 {
		w = 0 // it is for others
	}
	o := Offer{N: u.offer.n, Standing: u.offer.standing, Cores: int32(c.free()) + more.cores, Tasks: min(w, uint32(room+c.cores*maxAhead)) + more.tasks,
		Time: time.Duration(c.cores)*takeAhead + more.time, Memory: c.cfg.Memory, Kinds: c.cfg.Kinds, Labels: c.cfg.Labels, Functions: c.functions}
	if c.thief.hungry != never {
		o.Waiting = c.now - c.thief.hungry
	}
	u.send(c, o)
}

// wants tells whether the thief needs a channel.
func (t *thief) wants(u *uplink) bool { return u.offer.n != 0 }

// opened sends the offer that waited for the channel.
func (t *thief) opened(c *Core, u *uplink) {
	if u.offer.n != 0 {
		c.sendOffer(u)
	}
}

// closed is the end of a channel, and of the offer that lay there: it has the life of one epoch.
func (t *thief) closed(c *Core, u *uplink) {
	if t.asking == u.peer {
		t.fail(c, u.peer, reasonSilent)
	}
	if t.laid != 0 && slices.Contains(t.lifelines, u.peer) {
		u.offer = ask{n: t.laid, standing: true} // laid anew with the next epoch
	}
}

func (t *thief) silent(c *Core, u *uplink) {
	if u.guest == nil {
		t.avoid(c, u.peer, reasonSilent)
	}
}

func (t *thief) fail(c *Core, p PeerID, reason string) {
	c.steals.failed(p, c.near.level(p), reason)
	t.avoid(c, p, reason)
	t.asking = ""
	t.tries++
	t.mayHaveSurplus = t.mayHaveSurplus || c.crowded() // who waits for what we would have got is told
	t.nextAsk = c.now
	c.alarm(c.now)
}

// answered takes the answer to an offer with work. stale: the offer was withdrawn.
func (t *thief) answered(c *Core, u *uplink, n uint64, parts []Part, rest time.Duration) (stale bool) {
	t.mayHaveSurplus = true
	if n == 0 {
		return false
	}
	stale = u.offer.n != n
	if u.guest != nil {
		if !stale {
			u.offer = ask{}
		}
		return false
	}
	standing := u.offer.standing
	if !stale {
		u.offer = ask{}
	}
	t.fedBy(u.peer, c.now, parts)
	if t.asking == u.peer {
		c.asked(u.peer)
		t.asking = ""
	}
	t.tries, t.nextAsk = 0, c.now
	t.shuns = slices.DeleteFunc(t.shuns, func(s shun) bool { return s.peer == u.peer })
	t.believe(c.now, []Candidate{{Peer: u.peer, Level: c.near.level(u.peer), Surplus: rest}})
	if !stale && standing {
		t.withdraw(c) // the first answer consumes it
	}
	return stale
}

func (t *thief) refused(c *Core, u *uplink, m *NoWork) {
	if u.offer.n != m.Offer || u.offer.standing {
		return
	}
	u.offer = ask{}
	t.layAgain(c, u)
	t.recommended(c, m.Ask)
	for k := range t.beliefs {
		if t.beliefs[k].Peer == u.peer {
			t.beliefs[k].Surplus = 0
		}
	}
	if t.asking == u.peer {
		c.asked(u.peer)
		t.fail(c, u.peer, m.Reason)
	}
}

// layAgain puts the standing offer back that a question to a lifeline has replaced.
func (t *thief) layAgain(c *Core, u *uplink) {
	if t.laid != 0 && u.offer.n == 0 && slices.Contains(t.lifelines, u.peer) {
		c.offerTo(u.peer, true)
	}
}

// recommended takes in whom a peer without work names. It is hearsay: what is
// believed at first hand stands.
func (t *thief) recommended(c *Core, peers []PeerID) {
	for _, p := range peers[:min(len(peers), maxAsk)] {
		_, member := c.near.find(p)
		if member && p != c.cfg.ID && !slices.ContainsFunc(t.beliefs, func(b belief) bool { return b.Peer == p }) {
			t.believe(c.now, []Candidate{{Peer: p, Level: c.near.level(p), Surplus: guess, Age: beliefLasts / 2}})
		}
	}
}

// others are the nearest whom we believe to have surplus, for a thief to ask next.
func (c *Core) others(thief PeerID) (names []PeerID) {
	var all []belief
	for _, b := range c.thief.beliefs {
		if b.Surplus > 0 && b.Peer != thief && c.now-b.at < beliefLasts/2 {
			all = append(all, b)
		}
	}
	slices.SortStableFunc(all, func(a, b belief) int { return cmp.Or(cmp.Compare(a.Level, b.Level), cmp.Compare(b.Surplus, a.Surplus)) })
	for _, b := range all[:min(len(all), maxAsk)] {
		names = append(names, b.Peer)
	}
	return names
}

// progress opens the window: what was done well may be asked for twice.
func (u *uplink) progress(n uint64) {
	u.window = min(maxWindow, u.window+uint32(min(n, maxWindow)))
}

func (c *Core) thiefDue() {
	t := &c.thief
	if t.asking == "" {
		return
	}
	if at := t.askedAt + askPatience; c.now < at {
		c.alarm(at)
		return
	}
	if u := c.ups[t.asking]; u != nil {
		u.offer = ask{}
		if u.state == linkOpen {
			u.send(c, Withdraw{t.offers})
		}
		t.layAgain(c, u)
	}
	t.fail(c, t.asking, reasonSilent)
}
