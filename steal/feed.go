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

// feedKind is what a data stream is for. What asks does not wait behind long outputs.
type feedKind uint8

const (
	feedPush  feedKind = iota // outputs, with the reports that they belong to
	feedFetch                 // bodies
)

type feedKey struct {
	peer core.PeerID
	kind feedKind
}

// A feed is a data stream that we have opened to a peer, with what waits to go out on it. It ends by itself
// when it is idle, or broken; the next use opens another.
type feed struct {
	d   *Driver
	key feedKey

	mu     sync.Mutex
	queue  []parcel
	under  map[core.Piece]struct{} // whose outputs are queued or being written
	closed bool
	wake   chan struct{}

	unanswered int         // records that the peer has not answered yet
	silence    *time.Timer // resets the stream when the peer is silent for long; nil before there is one
}

// A parcel is a fetch, or a report with outputs.
type parcel struct {
	fetch   *wire.Fetch
	piece   core.Piece // of the report
	report  core.Frame
	outputs []sending
}

// A sending is an output that is borrowed for sending.
type sending struct {
	key  outputKey
	kept *kept
}

// feed puts a parcel on the feed to a peer.
func (l *loop) feed(k feedKey, p parcel) {
	f := l.feeds[k]
	if f != nil && f.put(p) {
		return
	}
	f = &feed{d: l.Driver, key: k, under: make(map[core.Piece]struct{}), wake: make(chan struct{}, 1)}
	f.put(p)
	l.feeds[k] = f
	if !l.start(f.run) {
		f.drop(f.queue, ErrEnded)
	}
}

// put appends a parcel; false when the feed has ended.
func (f *feed) put(p parcel) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return false
	}
	f.queue = append(f.queue, p)
	if p.fetch == nil {
		f.under[p.piece] = struct{}{}
	}
	select {
	case f.wake <- struct{}{}:
	default:
	}
	return true
}

// carries tells whether the outputs of a piece are under way already: the core tells of an outcome
// again when it is not recorded within a beat, and long outputs take longer.
func (f *feed) carries(p core.Piece) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, ok := f.under[p]
	return ok && !f.closed
}

func (f *feed) carried(p core.Piece) {
	f.mu.Lock()
	delete(f.under, p)
	f.mu.Unlock()
}

// expect: a record goes out that the peer answers. A connection that is half open swallows
// everything and says nothing, so that somebody has to watch.
func (f *feed) expect() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.unanswered++; f.unanswered == 1 {
		f.silence.Reset(feedPatience)
	}
}

// heard: the peer has sent something; last ends an answer.
func (f *feed) heard(last bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if last {
		f.unanswered--
	}
	if f.silence.Stop(); f.unanswered > 0 {
		f.silence.Reset(feedPatience)
	}
}

// take returns what waits; ends is whether the feed ends because nothing does.
func (f *feed) take(ends bool) []parcel {
	f.mu.Lock()
	defer f.mu.Unlock()
	q := f.queue
	f.queue = nil
	f.closed = ends && len(q) == 0
	return q
}

func (f *feed) run() {
	err := f.live()
	f.mu.Lock()
	f.closed = true
	left := f.queue
	f.queue = nil
	f.mu.Unlock()
	if err == nil {
		err = io.EOF
	}
	f.drop(left, err)
}

// drop is the end of parcels that were not sent, or perhaps not in whole. Reports are told again by the core.
func (f *feed) drop(parcels []parcel, err error) {
	for _, p := range parcels {
		for _, s := range p.outputs {
			f.d.outputs.giveBack(s.kept)
		}
		if p.fetch != nil {
			n := p.fetch.N
			f.d.mail.put(mail{do: func(l *loop) { l.fetched(n, err.Error()) }})
		}
	}
}

// live opens the stream and writes until it breaks, or has been idle for long.
func (f *feed) live() error {
	ctx, cancel := context.WithTimeout(f.d.ctx, dialPatience)
	s, err := f.d.config.Network.Open(ctx, f.key.peer, dataProtocol)
	cancel()
	if err != nil {
		return err
	}
	if !f.d.own(s) {
		return ErrEnded
	}
	defer f.d.disown(s)
	f.silence = time.AfterFunc(time.Hour, func() { s.Reset() })
	f.silence.Stop()
	defer f.silence.Stop()
	readerEnded := make(chan struct{})
	if !f.d.start(func() { defer close(readerEnded); f.read(s) }) {
		return ErrEnded
	}
	w := bufio.NewWriterSize(countingWriter{s, &f.d.counts.dataOut}, 64<<10)
	w.Write(wire.Preface{Inc: f.d.config.Core.Incarnation}.Append(nil))
	enc := wire.NewEncoder()
	idle := time.NewTimer(feedIdle)
	defer idle.Stop()
	for {
		ends := false
		select {
		case <-f.wake:
		case <-idle.C:
			ends = true
		case <-readerEnded:
			return errors.New("the data stream was closed")
		case <-f.d.ctx.Done():
			return ErrEnded
		}
		queue := f.take(ends)
		if ends && len(queue) == 0 {
			return nil
		}
		for k, p := range queue {
			err := f.write(w, enc, p)
			if err != nil {
				f.drop(queue[k:], err)
				return err
			}
			for _, s := range p.outputs {
				f.d.outputs.giveBack(s.kept)
			}
			f.carried(p.piece)
		}
		if err := w.Flush(); err != nil {
			for _, p := range queue { // their answers do not come
				f.drop([]parcel{{fetch: p.fetch}}, err)
			}
			return err
		}
		idle.Reset(feedIdle)
	}
}

// write writes one parcel: the outputs first, so that who gets the report has them all.
func (f *feed) write(w *bufio.Writer, enc *wire.Encoder, p parcel) error {
	f.expect() // an answer to each parcel, and a sign of life for each part of it
	if p.fetch != nil {
		return writeRecord(w, enc, *p.fetch)
	}
	buf := make([]byte, wire.MaxChunk)
	for _, s := range p.outputs {
		if err := writeChunks(w, enc, buf, wire.Chunk{Job: s.key.job, Index: s.key.index, Attempt: s.key.attempt, Name: s.kept.Name}, s.kept.Data); err != nil {
			return err
		}
		f.d.counts.outputsOut.Add(1)
	}
	return writeRecord(w, enc, wire.Frame{Frame: p.report, Outputs: uint32(len(p.outputs))})
}

// writeChunks writes a blob; c says of whom.
func writeChunks(w *bufio.Writer, enc *wire.Encoder, buf []byte, c wire.Chunk, b Blob) error {
	r := b.Reader()
	for size := b.Len(); ; {
		n, err := io.ReadFull(r, buf[:min(int64(len(buf)), size-c.Offset)])
		if err != nil && !(n == 0 && size == c.Offset && err == io.EOF) {
			return err
		}
		c.Data = buf[:n]
		c.Last = c.Offset+int64(n) == size
		if err := writeRecord(w, enc, c); err != nil || c.Last {
			return err
		}
		c.Offset += int64(n)
	}
}

func writeRecord(w *bufio.Writer, enc *wire.Encoder, r wire.Record) error {
	b, err := enc.Append(w.AvailableBuffer(), r, wire.MaxData)
	if err != nil {
		return err
	}
	_, err = w.Write(b)
	return err
}

// read takes the answers to fetches.
func (f *feed) read(s Stream) {
	_, r, err := f.d.readPreface(f.key.peer, s)
	if err != nil {
		return
	}
	dec := wire.NewDecoder()
	var buf []byte
	var long assembly
	var g gauge
	for {
		if buf, err = wire.ReadRecord(r, buf, wire.MaxData); err != nil {
			f.d.judge(f.key.peer, err)
			return
		}
		f.d.counts.dataIn.Add(uint64(len(buf)))
		rec, err := dec.Decode(buf)
		if err == nil {
			end, ok := rec.(wire.Missing)
			f.heard(ok && end.N != wire.Alive)
			if !ok {
				g.arrived(f.d, len(buf))
			} else if end.N != wire.Alive {
				g.done(f.d, f.key.peer)
			}
			err = f.answer(rec, &long)
		}
		if err != nil {
			f.d.judge(f.key.peer, err)
			s.Reset()
			return
		}
	}
}

// An assembly is a long body that is arriving.
type assembly struct {
	of   wire.Chunk
	data []byte
}

func (f *feed) answer(rec wire.Record, long *assembly) error {
	switch rec := rec.(type) {
	case wire.Header:
		f.d.bodies.putHeader(bodyKey{f.key.peer, rec.Job}, rec.Data)
	case wire.Bodies:
		f.d.bodies.put(bodyKey{f.key.peer, rec.Job}, rec.Lo, rec.Data)
	case wire.Missing:
		if f.key.kind == feedPush { // it has come: nothing is to be done
			return nil
		}
		f.d.mail.put(mail{do: func(l *loop) { l.fetched(rec.N, rec.Why) }})
	case wire.Chunk:
		if rec.Name != wire.NameBody || rec.Offset != int64(len(long.data)) || rec.Offset > 0 && (long.of.Job != rec.Job || long.of.Index != rec.Index) || rec.Offset+int64(len(rec.Data)) > maxBody {
			return wire.Garbage("a part of a body out of order")
		}
		long.of = rec
		long.data = append(long.data, rec.Data...)
		if rec.Last {
			f.d.bodies.put(bodyKey{f.key.peer, rec.Job}, rec.Index, [][]byte{long.data})
			long.data = nil
		}
	default:
		return wire.Garbage("a record that answers nothing")
	}
	return nil
}

type countingWriter struct {
	w io.Writer
	n interface{ Add(uint64) uint64 }
}

func (c countingWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n.Add(uint64(n))
	return n, err
}
