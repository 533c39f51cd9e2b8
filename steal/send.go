package steal

import (
	"bufio"
	"context"
	"io"
	"time"

	"github.com/filchsched/filch/steal/core"
	"github.com/filchsched/filch/steal/wire"
)

// send writes a frame to the channel of its epoch.
func (l *loop) send(e core.Send) {
	if e.Frame.Epoch == 0 {
		l.sendLoose(e)
		return
	}
	side := l.downs
	if e.Up {
		side = l.ups
	}
	c := side[e.To]
	if c == nil || c.over || c.epoch != e.Frame.Epoch {
		return
	}
	switch m := e.Frame.Msg.(type) {
	case core.Grant:
		l.attach(c, &m)
	case core.Report:
		if m.Outcomes = l.lift(e, m.Outcomes); len(m.Outcomes)+len(m.Ends) == 0 {
			return
		}
		e.Frame.Msg = m
	}
	e.Frame.Data = false
	l.append(c, e.Frame)
}

// append writes a frame. What is said about offers waits for the next frame: it may be overtaken.
func (l *loop) append(c *channel, f core.Frame) {
	h := hasteOf(f.Msg)
	if c.held.Msg != nil {
		held := c.held
		c.held = core.Frame{}
		if !supersedes(f.Msg) {
			l.write(c, held)
		}
	}
	if h == afterRuns || isWithdraw(f.Msg) {
		c.held = f
	} else {
		l.write(c, f)
	}
	l.mark(c, h)
}

// write encodes a frame, or several that say the same, numbered anew: some frames of the core travel elsewhere, or not at all.
func (l *loop) write(c *channel, f core.Frame) {
	var err error
	c.fresh, err = l.enc.AppendSplit(c.fresh, f, func() uint64 { c.seq++; return c.seq })
	if err != nil {
		l.config.Logger.Error("a frame cannot be sent, the channel begins anew", "peer", c.peer, "err", err)
		c.broken(err)
		return
	}
	l.counts.framesOut.Add(1)
	switch f.Msg.(type) {
	case core.Beat, core.Ack:
		l.counts.beatsOut.Add(1)
	case core.Offer, core.Withdraw, core.NoWork, core.Hello, core.News, core.Invite:
		l.counts.offersOut.Add(1)
	}
}

// attach puts header and bodies of what is granted in front of the grant, as far as they fit. The rest is fetched.
func (l *loop) attach(c *channel, m *core.Grant) {
	left := maxInline
	for k := range m.Parts {
		p := &m.Parts[k]
		header, data, ok := l.describe(p.Piece, left)
		if !ok {
			continue
		}
		if _, sent := c.headers[p.Job]; !sent && len(header) <= left {
			left -= len(header)
			if len(c.headers) >= maxHeaders {
				clear(c.headers) // of jobs long gone, most of them: to send one twice does no harm
			}
			c.headers[p.Job] = struct{}{}
			l.record(c, wire.Header{Job: p.Job, Data: header})
		}
		n, size := 0, 0
		for n < len(data) && size+len(data[n])+3 <= left {
			size += len(data[n]) + 3
			n++
		}
		left -= size
		if n > 0 {
			l.record(c, wire.Bodies{Job: p.Job, Lo: p.Lo, Data: data[:n]})
		}
		if left <= 0 {
			return
		}
	}
}

// describe is what the tasks of a piece are, as many of them as are known here and take about most bytes.
func (l *loop) describe(p core.Piece, most int) (header []byte, data [][]byte, ok bool) {
	if p.Job.Home != l.config.Core.ID {
		header, data, _, noHeader := l.bodies.get(bodyKey{l.originOf(p), p.Job}, p.Span)
		return header, data, !noHeader
	}
	header, err := l.ownHeader(p.Job)
	if err != nil {
		return nil, nil, false
	}
	l.arena = l.arena[:0]
	l.cuts = l.cuts[:0]
	for i := p.Lo; i < p.Hi && len(l.arena) <= most; i++ {
		if l.arena, err = l.config.Home.Body(l.arena, p.Job, i); err != nil {
			break
		}
		l.cuts = append(l.cuts, len(l.arena))
	}
	at := 0
	l.data = l.data[:0]
	for _, end := range l.cuts {
		l.data = append(l.data, l.arena[at:end])
		at = end
	}
	return header, l.data, true
}

func (l *loop) ownHeader(job core.JobID) ([]byte, error) {
	if h, ok := l.headers[job]; ok {
		return h, nil
	}
	h, err := l.config.Home.Header(job)
	if err == nil {
		l.headers[job] = h
	}
	return h, err
}

// record writes what is not a frame. What does not fit is fetched by who needs it.
func (l *loop) record(c *channel, r wire.Record) {
	if b, err := l.enc.Append(c.fresh, r, wire.MaxControl); err == nil {
		c.fresh = b
		l.mark(c, atOnce)
	}
}

// sendLoose sends a frame that belongs to no epoch: on any channel to the peer, else on a stream of its own.
func (l *loop) sendLoose(e core.Send) {
	for _, c := range []*channel{l.ups[e.To], l.downs[e.To]} {
		if c != nil && !c.over {
			if b, err := l.enc.Append(c.fresh, wire.Frame{Frame: e.Frame}, wire.MaxControl); err == nil {
				c.fresh = b
				l.mark(c, atOnce)
			}
			return
		}
	}
	b, err := l.enc.Append(wire.Preface{Inc: l.config.Core.Incarnation}.Append(nil), wire.Frame{Frame: e.Frame}, wire.MaxControl)
	if err != nil {
		return
	}
	l.start(func() { l.tellOnce(e.To, b) })
}

// tellOnce opens a stream for a few bytes and waits until the peer has closed it.
func (d *Driver) tellOnce(to core.PeerID, b []byte) {
	ctx, cancel := context.WithTimeout(d.ctx, dialPatience)
	defer cancel()
	s, err := d.config.Network.Open(ctx, to, controlProtocol)
	if err != nil || !d.own(s) {
		return
	}
	defer d.disown(s)
	late := time.AfterFunc(prefacePatience, func() { s.Reset() })
	defer late.Stop()
	if _, err := s.Write(b); err == nil && s.CloseWrite() == nil {
		d.counts.controlOut.Add(uint64(len(b)))
		io.Copy(io.Discard, io.LimitReader(bufio.NewReader(s), wire.MaxControl))
	}
}
