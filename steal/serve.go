package steal

import (
	"bufio"
	"errors"
	"fmt"

	"github.com/filchsched/filch/steal/core"
	"github.com/filchsched/filch/steal/wire"
)

// handleData serves a data stream that a peer has opened: it answers fetches on it, and takes outputs and
// the reports that they belong to.
func (d *Driver) handleData(from core.PeerID, s Stream) {
	d.start(func() {
		if !d.own(s) {
			return
		}
		defer d.disown(s)
		p, r, err := d.readPreface(from, s)
		if err != nil {
			return
		}
		v := &server{d: d, from: from, inc: p.Inc, enc: wire.NewEncoder(), arriving: make(map[arrival]*spill), used: newCredit()}
		v.w = bufio.NewWriterSize(countingWriter{s, &d.counts.dataOut}, 64<<10)
		v.w.Write(wire.Preface{Inc: d.config.Core.Incarnation}.Append(nil))
		if err = v.w.Flush(); err == nil {
			err = v.serve(r)
		}
		d.judge(from, err)
		for _, sp := range v.arriving {
			sp.Close()
		}
		for _, o := range v.whole {
			o.Data.Close()
		}
		d.outputs.unbook(v.booked)
	})
}

// A server is our end of a data stream that a peer has opened.
type server struct {
	d    *Driver
	from core.PeerID
	inc  uint64
	w    *bufio.Writer
	enc  *wire.Encoder
	used *credit

	arriving map[arrival]*spill // outputs that are not whole
	whole    []wholeOutput      // and those that are, until their report comes
	booked   int64              // bytes of both
	gauge    gauge              // of them
}

type arrival struct {
	outputKey
	name uint8
}

type wholeOutput struct {
	outputKey
	Output
}

func (v *server) serve(r *bufio.Reader) error {
	dec := wire.NewDecoder()
	var buf []byte
	for {
		var err error
		if buf, err = wire.ReadRecord(r, buf, wire.MaxData); err != nil {
			return err
		}
		v.d.counts.dataIn.Add(uint64(len(buf)))
		rec, err := dec.Decode(buf)
		if err != nil {
			return err
		}
		switch rec := rec.(type) {
		case wire.Fetch:
			err = v.answer(&rec)
		case wire.Chunk:
			v.gauge.arrived(v.d, len(rec.Data))
			if err = v.take(&rec); err == nil {
				err = v.confirm(wire.Missing{N: wire.Alive, Job: rec.Job})
			}
		case wire.Frame:
			v.gauge.done(v.d, v.from)
			if err = v.report(&rec, len(buf)); err == nil {
				err = v.confirm(wire.Missing{N: 1})
			}
		default:
			err = wire.Garbage("a record that has no place on a data stream")
		}
		if err != nil {
			return err
		}
	}
}

// confirm tells the sender of outputs that they arrive.
func (v *server) confirm(m wire.Missing) error {
	if err := writeRecord(v.w, v.enc, m); err != nil {
		return err
	}
	return v.w.Flush()
}

// maxArriving bounds the outputs of one report.
const maxArriving = 4096

// take takes a part of an output.
func (v *server) take(c *wire.Chunk) error {
	k := arrival{outputKey{c.Job, c.Index, c.Attempt}, c.Name}
	s := v.arriving[k]
	switch {
	case s == nil && c.Offset == 0 && len(v.arriving)+len(v.whole) < maxArriving && c.Name < wire.NameHeader:
		s = new(spill)
		v.arriving[k] = s
	case s == nil || s.n != c.Offset:
		return wire.Garbage("a part of an output out of order")
	}
	if !v.d.outputs.book(len(c.Data)) {
		v.d.counts.overflows.Add(1)
		return errors.New("steal: there is no room for more outputs")
	}
	v.booked += int64(len(c.Data))
	if err := s.write(c.Data); err != nil {
		v.d.config.Logger.Error("an output cannot be kept", "peer", v.from, "err", err)
		if c.Job.Home != v.d.config.Core.ID {
			return err // it is sent again: there may be room then
		}
		s.lose(fmt.Errorf("an output that came from %s cannot be kept (free some space, or set TMPDIR to a roomier disk): %w", v.from, err)) // home is told, and does not wait for room
	}
	if c.Last {
		delete(v.arriving, k)
		v.whole = append(v.whole, wholeOutput{k.outputKey, Output{Index: c.Index, Name: c.Name, Data: s}})
		v.d.counts.outputsIn.Add(1)
	}
	return nil
}

// report hands a report of so many bytes to the loop, whose outputs are all there.
func (v *server) report(f *wire.Frame, size int) error {
	m, ok := f.Msg.(core.Report)
	switch {
	case !ok || !f.Data || f.Epoch == 0 || len(m.Ends) > 0:
		return wire.Garbage("a frame that has no place on a data stream")
	case f.Inc != v.inc:
		return wire.Garbage("a frame of another incarnation")
	case int(f.Outputs) != len(v.whole):
		return wire.Garbage(fmt.Sprintf("a report of %d outputs after %d", f.Outputs, len(v.whole)))
	}
	for _, o := range v.whole {
		belongs := false
		for k := range m.Outcomes {
			x := &m.Outcomes[k]
			belongs = belongs || x.Job == o.job && x.Attempt == o.attempt && x.Lo <= o.index && o.index < x.Hi
		}
		if !belongs {
			return wire.Garbage("an output without its outcome")
		}
	}
	for _, o := range v.whole {
		n := o.Data.Len()
		v.d.outputs.put(o.outputKey, o.Output)
		v.d.outputs.unbook(n)
		v.booked -= n
	}
	v.whole = nil
	v.d.counts.framesIn.Add(1)
	v.used.acquire(size)
	v.d.mail.put(mail{credit: v.used, bytes: size, do: func(l *loop) {
		l.receive(core.Received{From: v.from, Up: true, Frame: f.Frame})
		for k := range m.Outcomes {
			p := m.Outcomes[k].Piece
			if p.Job.Home == l.config.Core.ID || len(l.core.HeldOf(p)) == 0 {
				l.outputs.settle(p) // what nobody has committed, or passes on
			}
		}
	}})
	return nil
}

// answer sends the bodies that a peer asks for, as many as make about maxAnswer.
func (v *server) answer(f *wire.Fetch) error {
	why := v.bodies(f)
	if err := writeRecord(v.w, v.enc, wire.Missing{N: f.N, Job: f.Job, Why: why}); err != nil {
		return err
	}
	return v.w.Flush()
}

// maxAsked bounds the tasks of one fetch that are looked at.
const maxAsked = 4096

func (v *server) bodies(f *wire.Fetch) (why string) {
	d := v.d
	var header []byte
	var data [][]byte
	if f.Job.Home == d.config.Core.ID {
		var err error
		if f.Header {
			if header, err = d.config.Home.Header(f.Job); err != nil {
				return err.Error()
			}
		}
		sum := 0
		for i := f.Span.Lo; i < f.Span.Hi && sum < maxAnswer && len(data) < maxAsked; i++ {
			b, err := d.config.Home.Body(nil, f.Job, i)
			if err != nil {
				if len(data) > 0 {
					break
				}
				return err.Error()
			}
			sum += len(b)
			data = append(data, b)
		}
	} else {
		var ok bool
		s := f.Span
		s.Hi = min(s.Hi, s.Lo+maxAsked)
		if header, data, ok = d.bodies.find(f.Job, s); !ok {
			d.relay(f.Job, s)
			header, data, ok = d.bodies.find(f.Job, s)
		}
		if !ok {
			return "it is not known here"
		}
	}
	if f.Header {
		if err := writeRecord(v.w, v.enc, wire.Header{Job: f.Job, Data: header}); err != nil {
			return err.Error()
		}
	}
	return v.sendBodies(f, data)
}

// sendBodies sends short ones together and long ones in parts.
func (v *server) sendBodies(f *wire.Fetch, data [][]byte) (why string) {
	lo := f.Span.Lo
	for len(data) > 0 {
		n, size := 0, 0
		for n < len(data) && size+len(data[n]) <= maxAnswer {
			size += len(data[n]) + 8
			n++
		}
		var err error
		if n > 0 {
			err = writeRecord(v.w, v.enc, wire.Bodies{Job: f.Job, Lo: lo, Data: data[:n]})
		} else if n = 1; len(data[0]) > maxBody {
			return fmt.Sprintf("a task of %d bytes is longer than %d", len(data[0]), maxBody)
		} else {
			err = writeChunks(v.w, v.enc, make([]byte, wire.MaxChunk), wire.Chunk{Job: f.Job, Index: lo, Name: wire.NameBody}, memory(data[0]))
		}
		if err != nil {
			return err.Error()
		}
		lo += uint64(n)
		data = data[n:]
	}
	return ""
}
