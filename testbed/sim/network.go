package sim

import (
	"time"

	"github.com/filchsched/filch/steal/core"
)

// A conn is one epoch's connection: a control and a data stream in each
// direction. Frames of a stream arrive in order or not at all.
type conn struct {
	holder, grantor *node
	hlife, glife    int
	epoch           uint64
	far             time.Duration    // added to each frame
	closed          bool             // broken or closed: nothing is sent any more
	dead            bool             // what is under way is lost, too
	last            [4]time.Duration // when the last frame of a stream arrives
	lied            [4]uint64        // lies that were slipped in among the frames of a stream
	seq             [4]uint64        // of the last frame sent
	stalled         [4][]func()      // frames that wait for a partition to heal
}

func stream(up, data bool) int {
	k := 0
	if up {
		k = 2
	}
	if data {
		k++
	}
	return k
}

func (w *world) open(n *node, e core.Open) {
	to := w.find(e.Peer)
	c := &conn{holder: n, grantor: to, hlife: n.life, epoch: e.Epoch}
	if w.far > 0 && (to == nil || len(n.name)+int(n.name[1])%2 != len(to.name)+int(to.name[1])%2) {
		c.far = w.between(w.far/2, w.far)
	}
	w.conns = append(w.conns, c)
	if to == nil || !to.alive {
		w.in(w.delay(), func() { w.hint(n, c.hlife, core.Broken{Peer: e.Peer, Up: true, Epoch: e.Epoch}) })
		c.closed, c.dead = true, true
		return
	}
	c.glife = to.life
}

// hint tells a process that a connection has ended, if it is still the same process.
func (w *world) hint(n *node, life int, ev core.Broken) {
	if n.life == life {
		n.step(ev)
	}
}

func (w *world) find2(holder, grantor *node, epoch uint64) *conn {
	for k := len(w.conns) - 1; k >= 0; k-- {
		c := w.conns[k]
		if c.holder == holder && c.grantor == grantor && c.epoch == epoch && c.hlife == holder.life && (grantor == nil || c.glife == grantor.life) {
			return c
		}
	}
	return nil
}

// close is the holder's end of an epoch. What it sent before may still arrive.
func (w *world) close(n *node, e core.Close) {
	c := w.find2(n, w.find(e.Peer), e.Epoch)
	if c == nil || c.closed {
		return
	}
	c.closed, c.dead = true, w.chance(0.5)
	g, life := c.grantor, c.glife
	w.in(w.delay(), func() {
		if !w.isBlocked(n, g) {
			w.hint(g, life, core.Broken{Peer: n.id, Epoch: e.Epoch})
		}
	})
}

// sever breaks a connection; the tail of what was sent is lost, or arrives late.
func (w *world) sever(c *conn, told bool) {
	if c.closed {
		return
	}
	c.closed, c.dead = true, w.chance(0.5)
	if !told {
		return
	}
	h, g := c.holder, c.grantor
	w.in(w.delay(), func() { w.hint(h, c.hlife, core.Broken{Peer: g.id, Up: true, Epoch: c.epoch}) })
	w.in(w.delay(), func() { w.hint(g, c.glife, core.Broken{Peer: h.id, Epoch: c.epoch}) })
}

func (w *world) delay() time.Duration {
	d := w.between(100*time.Microsecond, 5*time.Millisecond)
	if w.slowest > 0 && w.chance(0.2) {
		d += w.between(0, w.slowest)
	}
	return d
}

func (w *world) send(n *node, e core.Send) {
	to := w.find(e.To)
	if to == nil || n.mute {
		return
	}
	w.check.sent(n, to, e)
	if w.overhears != nil {
		w.overhears(e.Frame.Msg)
	}
	if _, ok := e.Frame.Msg.(core.Invite); ok { // it needs no channel
		w.in(w.delay(), func() {
			if !w.isBlocked(n, to) {
				to.step(core.Received{From: n.id, Up: e.Up, Frame: e.Frame})
			}
		})
		return
	}
	holder, grantor := n, to
	if !e.Up {
		holder, grantor = to, n
	}
	c := w.find2(holder, grantor, e.Frame.Epoch)
	if c == nil || c.closed {
		return
	}
	if w.keep {
		w.logf("%s -> %s epoch %d #%d %T%+v", n.name, to.name, e.Frame.Epoch, e.Frame.Seq, e.Frame.Msg, e.Frame.Msg)
	}
	k := stream(e.Up, e.Frame.Data)
	e.Frame.Seq += c.lied[k]
	c.seq[k] = e.Frame.Seq
	at := max(c.last[k]+1, w.now+c.far+w.delay())
	c.last[k] = at
	arrive := func() {
		if c.dead || to.life != c.lifeOf(to) {
			return
		}
		to.step(core.Received{From: n.id, Up: e.Up, Frame: e.Frame})
	}
	w.in(at-w.now, func() {
		if w.isBlocked(n, to) || len(c.stalled[k]) > 0 {
			c.stalled[k] = append(c.stalled[k], arrive)
			return
		}
		arrive()
	})
	if w.dupes && w.chance(0.05) {
		w.in(at-w.now+w.between(0, time.Second), func() {
			if !w.isBlocked(n, to) {
				arrive()
			}
		})
	}
}

func (c *conn) lifeOf(n *node) int {
	if n == c.holder {
		return c.hlife
	}
	return c.glife
}

func (w *world) isBlocked(from, to *node) bool { return w.blocked[[2]string{from.name, to.name}] > 0 }

// block stops frames of one direction; unblock lets those that waited go on.
func (w *world) block(from, to *node) { w.blocked[[2]string{from.name, to.name}]++ }

func (w *world) unblock(from, to *node) {
	key := [2]string{from.name, to.name}
	if w.blocked[key]--; w.blocked[key] > 0 {
		return
	}
	for _, c := range w.conns {
		if c.dead || c.closed && w.chance(0.5) {
			continue
		}
		for k := range c.stalled {
			up := k >= 2
			if up && (c.holder != from || c.grantor != to) || !up && (c.grantor != from || c.holder != to) {
				continue
			}
			late := c.stalled[k]
			c.stalled[k] = nil
			at := max(c.last[k], w.now)
			for _, arrive := range late {
				at++
				w.in(at-w.now, arrive)
			}
			c.last[k] = at
		}
	}
}

// sweep forgets dead connections.
func (w *world) sweep() {
	live := w.conns[:0]
	for _, c := range w.conns {
		if !c.closed {
			live = append(live, c)
		}
	}
	clear(w.conns[len(live):])
	w.conns = live
}
