package steal

import (
	"bufio"
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/filchsched/filch/steal/core"
	"github.com/filchsched/filch/steal/wire"
)

// A channel is the control stream of one epoch with one peer.
type channel struct {
	d     *Driver
	peer  core.PeerID
	up    bool // we are the holder and have opened it
	epoch uint64
	inc   uint64 // the peer's; known from the beginning only where the peer has opened it

	// Of the loop.
	fresh   []byte                  // written, and not with the writer yet
	held    core.Frame              // to be written before all else, if it has a Msg; see supersedes
	dirty   bool                    // listed in loop.written
	haste   haste                   // of the most urgent of it
	leaves  time.Duration           // when it goes to the writer
	seq     uint64                  // of the last frame written
	headers map[core.JobID]struct{} // sent
	over    bool

	mu     sync.Mutex
	next   []byte        // what the writer takes next
	spare  []byte        // what it gave back
	wake   chan struct{} // next is not empty
	done   chan struct{} // closed at the end
	closed bool
	stream Stream // nil while it is dialled
}

func (d *Driver) newChannel(peer core.PeerID, up bool, epoch uint64) *channel {
	c := &channel{d: d, peer: peer, up: up, epoch: epoch, wake: make(chan struct{}, 1), done: make(chan struct{}), headers: make(map[core.JobID]struct{})}
	c.next = wire.Preface{Inc: d.config.Core.Incarnation, Epoch: epoch}.Append(nil)
	c.wake <- struct{}{}
	return c
}

// open dials for a new epoch. Frames pile up until the stream is there.
func (l *loop) open(e core.Open) {
	if old := l.ups[e.Peer]; old != nil {
		old.end()
	}
	c := l.newChannel(e.Peer, true, e.Epoch)
	l.ups[e.Peer] = c
	l.start(c.dial)
}

func (l *loop) close(e core.Close) {
	if c := l.ups[e.Peer]; c != nil && c.epoch == e.Epoch {
		delete(l.ups, e.Peer)
		c.end()
	}
}

// dial opens the stream and is its writer from then on.
func (c *channel) dial() {
	ctx, cancel := context.WithTimeout(c.d.ctx, dialPatience)
	stop := make(chan struct{})
	c.d.start(func() { // a channel that was given up is not dialled on
		select {
		case <-c.done:
			cancel()
		case <-stop:
		}
	})
	s, err := c.d.config.Network.Open(ctx, c.peer, controlProtocol)
	close(stop)
	cancel()
	if err != nil {
		c.broken(err)
		return
	}
	if !c.attach(s) {
		return
	}
	if !c.d.start(func() { c.read(s, bufio.NewReaderSize(s, wire.MaxControl), false) }) {
		return
	}
	c.write(s)
}

// attach gives the channel its stream; false when either has ended.
func (c *channel) attach(s Stream) bool {
	if !c.d.own(s) {
		return false
	}
	c.mu.Lock()
	closed := c.closed
	c.stream = s
	c.mu.Unlock()
	if closed {
		c.d.disown(s)
	}
	return !closed
}

// end closes the channel. Its goroutines end soon, the loop hears nothing more of it.
func (c *channel) end() {
	c.over = true
	c.shut()
}

func (c *channel) shut() {
	c.mu.Lock()
	s, was := c.stream, c.closed
	c.closed = true
	c.next, c.spare = nil, nil
	c.mu.Unlock()
	if was {
		return
	}
	close(c.done)
	if s != nil {
		c.d.disown(s)
	}
}

// broken is the end that nobody here asked for.
func (c *channel) broken(err error) {
	c.mu.Lock()
	was := c.closed
	c.mu.Unlock()
	c.shut()
	if was {
		return
	}
	c.d.config.Logger.Debug("a channel has ended", "peer", c.peer, "epoch", c.epoch, "up", c.up, "err", err)
	c.d.counts.broken.Add(1)
	c.d.mail.put(mail{do: func(l *loop) { l.brokenChannel(c) }})
}

func (l *loop) brokenChannel(c *channel) {
	side := l.downs
	if c.up {
		side = l.ups
	}
	if side[c.peer] != c {
		return
	}
	delete(side, c.peer)
	c.over = true
	l.step(core.Broken{Peer: c.peer, Up: c.up, Epoch: c.epoch})
}

// write writes what the loop hands over until the channel ends.
func (c *channel) write(s Stream) {
	for {
		select {
		case <-c.wake:
		case <-c.done:
			return
		}
		c.mu.Lock()
		b := c.next
		c.next, c.spare = c.spare[:0], nil
		c.mu.Unlock()
		if len(b) == 0 {
			continue
		}
		if _, err := s.Write(b); err != nil {
			c.broken(err)
			return
		}
		c.d.counts.controlOut.Add(uint64(len(b)))
		c.mu.Lock()
		if !c.closed && cap(b) <= 1<<20 {
			c.spare = b[:0]
		}
		c.mu.Unlock()
	}
}

// flush hands what was written to the writer.
func (c *channel) flush(l *loop) {
	c.dirty = false
	if c.held.Msg != nil {
		held := c.held
		c.held = core.Frame{}
		l.write(c, held)
	}
	if c.over || len(c.fresh) == 0 {
		c.fresh = nil
		return
	}
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		c.fresh = nil
		return
	}
	first := len(c.next) == 0
	if first {
		c.next, c.fresh = c.fresh, c.next[:0]
		if c.spare != nil && c.fresh == nil {
			c.fresh, c.spare = c.spare, nil
		}
	} else {
		c.next = append(c.next, c.fresh...)
		c.fresh = c.fresh[:0]
	}
	size := len(c.next)
	c.mu.Unlock()
	if size > maxQueued {
		l.counts.overflows.Add(1)
		c.broken(errors.New("the peer does not read"))
		return
	}
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// handleControl takes a control stream that a peer has opened.
func (d *Driver) handleControl(from core.PeerID, s Stream) {
	d.start(func() {
		if !d.own(s) {
			return
		}
		p, r, err := d.readPreface(from, s)
		if err != nil {
			d.disown(s)
			return
		}
		c := d.newChannel(from, false, p.Epoch)
		c.inc = p.Inc
		if !c.attach(s) || !d.start(func() { c.write(s) }) {
			return
		}
		if p.Epoch != 0 && !d.mail.put(mail{do: func(l *loop) { l.accept(c) }}) {
			return
		}
		c.read(s, r, true)
	})
}

// readPreface waits for what a stream is. A peer of another version gets to know ours.
func (d *Driver) readPreface(from core.PeerID, s Stream) (wire.Preface, *bufio.Reader, error) {
	late := time.AfterFunc(prefacePatience, func() { s.Reset() })
	defer late.Stop()
	r := bufio.NewReaderSize(s, wire.MaxControl)
	p, err := wire.ReadPreface(r)
	d.judge(from, err)
	if version := (*wire.VersionError)(nil); errors.As(err, &version) {
		s.Write(wire.Preface{Inc: d.config.Core.Incarnation}.Append(nil))
		s.CloseWrite()
	}
	return p, r, err
}

// judge counts why a stream ended that a peer is to blame for.
func (d *Driver) judge(from core.PeerID, err error) {
	var version *wire.VersionError
	switch {
	case err == nil:
	case errors.As(err, &version):
		d.counts.versions.Add(1)
		d.config.Logger.Warn("a peer speaks another version", "peer", from, "err", err)
	case wire.IsGarbage(err):
		d.counts.garbage.Add(1)
		d.config.Logger.Warn("a stream is closed because of what came on it", "peer", from, "err", err)
	}
}

// accept makes a channel the one on which we grant to a peer, unless there is a newer one.
func (l *loop) accept(c *channel) {
	if old := l.downs[c.peer]; old != nil {
		if old.inc > c.inc || old.inc == c.inc && old.epoch > c.epoch {
			c.end()
			return
		}
		old.end()
	}
	l.downs[c.peer] = c
}

// read reads frames until the stream ends. preface: it was read already.
func (c *channel) read(s Stream, r *bufio.Reader, preface bool) {
	if !preface {
		late := time.AfterFunc(prefacePatience, func() { s.Reset() })
		p, err := wire.ReadPreface(r)
		late.Stop()
		if err != nil {
			c.d.judge(c.peer, err)
			c.broken(err)
			return
		}
		c.inc = p.Inc
	}
	err := c.readFrames(r)
	if err != io.EOF {
		c.d.judge(c.peer, err)
	}
	c.broken(err)
}

func (c *channel) readFrames(r *bufio.Reader) error {
	var (
		dec   = wire.NewDecoder()
		buf   []byte
		whole core.Grant // parts so far of one that was split
		batch []mail
		bytes int
		used  = newCredit()
	)
	for {
		var err error
		if buf, err = wire.ReadRecord(r, buf, wire.MaxControl); err != nil {
			return err
		}
		c.d.counts.controlIn.Add(uint64(len(buf)))
		rec, err := dec.Decode(buf)
		if err != nil {
			return err
		}
		bytes += len(buf)
		switch rec := rec.(type) {
		case wire.Frame:
			f, complete, err := c.admit(rec, &whole)
			if err != nil {
				return err
			}
			if complete {
				batch = append(batch, mail{ev: core.Received{From: c.peer, Up: !c.up && f.Epoch != 0, Frame: f}, credit: used, bytes: bytes})
				bytes = 0
			}
		case wire.Header:
			if c.up {
				c.d.bodies.putHeader(bodyKey{c.peer, rec.Job}, rec.Data)
			}
		case wire.Bodies:
			if c.up {
				c.d.bodies.put(bodyKey{c.peer, rec.Job}, rec.Lo, rec.Data)
			}
		default:
			return wire.Garbage("a record that has no place on a control stream")
		}
		if r.Buffered() > 0 && len(batch) < 64 || len(batch) == 0 {
			continue
		}
		if !c.hand(batch, used) {
			return io.EOF
		}
		clear(batch)
		batch = batch[:0]
	}
}

// hand gives frames to the loop; false when it has ended.
func (c *channel) hand(batch []mail, used *credit) bool {
	sum := 0
	for k := range batch {
		sum += batch[k].bytes
	}
	used.acquire(sum)
	c.d.counts.framesIn.Add(uint64(len(batch)))
	return c.d.mail.put(batch...)
}

// admit looks at a frame before the core does, and puts grants together that were split.
func (c *channel) admit(f wire.Frame, whole *core.Grant) (core.Frame, bool, error) {
	switch {
	case f.Inc != c.inc:
		return f.Frame, false, wire.Garbage("a frame of another incarnation")
	case f.Epoch == 0:
		if _, ok := f.Msg.(core.Invite); !ok {
			return f.Frame, false, wire.Garbage("a frame of no epoch")
		}
		return f.Frame, true, nil
	case f.Epoch != c.epoch:
		return f.Frame, false, wire.Garbage("a frame of another epoch")
	}
	g, ok := f.Msg.(core.Grant)
	if !ok || !f.More && len(whole.Parts) == 0 {
		return f.Frame, true, nil
	}
	if len(whole.Parts) > 0 {
		g.Parts = append(whole.Parts, g.Parts...)
	}
	*whole = g
	if f.More {
		if len(g.Parts) > maxGrantParts {
			return f.Frame, false, wire.Garbage("a grant without an end")
		}
		return f.Frame, false, nil
	}
	*whole = core.Grant{}
	f.Msg = g
	return f.Frame, true, nil
}

// maxGrantParts bounds a grant that was split; core grants 256 at once.
const maxGrantParts = 4096
