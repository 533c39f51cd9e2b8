package parallel

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// A backlog is what has ended before its turn. In the worst case that is
// everything: the first command hangs and ten million others end. So per row it
// keeps one byte in memory, and of the output only so much as the limits
// below allow; the rest goes to disk, rendered, in the order in which it
// came. An index file says where the output of each row starts; it is as
// sparse as the rows are and is read once, in order, so it lives in the page
// cache for as long as there is room.
//
// Rejected: a map or heap of everything held back (100 bytes and more per
// row), and to stop starting commands while too much is held back (then one slow
// command stops all others, which is what people run things in parallel to avoid).
//
// The owner's lock guards it.
type backlog struct {
	dir    string
	base   uint64 // the row of states[0]; rows before it are released
	states []rowState
	held   map[uint64]Output
	weight int64    // of held, bytes
	data   *os.File // records: length of stdout, length of stderr, both
	index  *os.File // 8 bytes per row at row*8: offset of its record in data
	end    int64    // of data
	onDisk int      // records in data that are not released
}

type rowState byte

const (
	running rowState = iota // nothing is known yet
	silent                  // ended and printed nothing
	inHand                  // in held
	onDisk                  // in data
)

const (
	// maxHeld bounds the outputs held in memory in number, because each may have files open.
	maxHeld = 256
	// maxHeldBytes bounds them in size.
	maxHeldBytes = 16 << 20
	// maxStreamWeight is what one held output counts at most: a longer one is in a file
	// already, not in memory.
	maxStreamWeight = 1 << 20
	// recordHeader is the two lengths before a record in data.
	recordHeader = 16
)

func newBacklog(dir string) backlog {
	return backlog{dir: dir, base: 1, held: map[uint64]Output{}}
}

// add takes o, which has something to print, before its turn.
func (b *backlog) add(o Output, s *Sequencer) error {
	weight := o.weight()
	if len(b.held) < maxHeld && b.weight+weight <= maxHeldBytes {
		b.held[o.Seq] = o
		b.weight += weight
		b.mark(o.Seq, inHand)
		return nil
	}
	defer o.close()
	if err := b.spill(o, s); err != nil {
		return fmt.Errorf("cannot hold back the output of task %d in %s until its turn: %w (choose another place with TMPDIR, or leave out --keep-order)", o.Seq, b.place(), err)
	}
	b.mark(o.Seq, onDisk)
	return nil
}

// release writes the output of row seq if the row has ended, through s.
func (b *backlog) release(seq uint64, s *Sequencer) (found bool, err error) {
	state := b.take(seq)
	switch state {
	case running:
		return false, nil
	case inHand:
		o := b.held[seq]
		delete(b.held, seq)
		b.weight -= o.weight()
		err = s.write(o)
	case onDisk:
		err = b.unspill(seq, s)
	}
	return true, err
}

// mark notes what became of row seq.
func (b *backlog) mark(seq uint64, state rowState) {
	for i := seq - b.base; uint64(len(b.states)) <= i; {
		b.states = append(b.states, running)
	}
	b.states[seq-b.base] = state
}

// take returns the state of row seq, the lowest not yet released, and forgets it unless
// it is still running.
func (b *backlog) take(seq uint64) rowState {
	done := seq - b.base
	if done >= uint64(len(b.states)) {
		b.base, b.states = seq, b.states[:0]
		return running
	}
	// Cut off what is done when it is half of what there is: constant work per row.
	if done > uint64(len(b.states))/2 {
		b.states = b.states[:copy(b.states, b.states[done:])]
		b.base = seq
	}
	return b.states[seq-b.base]
}

// last is the highest row that something is known of.
func (b *backlog) last() uint64 { return b.base + uint64(len(b.states)) - 1 }

// spill appends o to data and its place to index.
func (b *backlog) spill(o Output, s *Sequencer) error {
	if err := b.open(); err != nil {
		return err
	}
	start := b.end
	w := &appender{f: b.data, at: start + recordHeader}
	if err := s.render(w, o.Stdout, "", o.Tag); err != nil {
		return err
	}
	mid := w.at
	if err := s.render(w, o.Stderr, o.Note, o.Tag); err != nil {
		return err
	}
	var header [recordHeader]byte
	binary.NativeEndian.PutUint64(header[:8], uint64(mid-start-recordHeader))
	binary.NativeEndian.PutUint64(header[8:], uint64(w.at-mid))
	if err := w.finish(start, header[:]); err != nil {
		return err
	}
	var place [8]byte
	binary.NativeEndian.PutUint64(place[:], uint64(start))
	if _, err := b.index.WriteAt(place[:], int64(o.Seq)*8); err != nil {
		return err
	}
	b.end = w.at
	b.onDisk++
	return nil
}

// unspill writes what spill put away.
func (b *backlog) unspill(seq uint64, s *Sequencer) error {
	var place [8]byte
	var header [recordHeader]byte
	if _, err := b.index.ReadAt(place[:], int64(seq)*8); err != nil {
		return fmt.Errorf("cannot read back the output of task %d: %w", seq, err)
	}
	start := int64(binary.NativeEndian.Uint64(place[:]))
	if _, err := b.data.ReadAt(header[:], start); err != nil {
		return fmt.Errorf("cannot read back the output of task %d: %w", seq, err)
	}
	out := int64(binary.NativeEndian.Uint64(header[:8]))
	errs := int64(binary.NativeEndian.Uint64(header[8:]))
	body := start + recordHeader
	if err := s.copyOut(io.NewSectionReader(b.data, body, out), io.NewSectionReader(b.data, body+out, errs)); err != nil {
		return err
	}
	if b.onDisk--; b.onDisk == 0 {
		return b.rewind()
	}
	return nil
}

// rewind gives the disk back when nothing on it is needed.
func (b *backlog) rewind() error {
	b.end = 0
	return errors.Join(b.data.Truncate(0), b.index.Truncate(0))
}

// open makes the two files. They have no name any more as soon as they are there.
func (b *backlog) open() (err error) {
	if b.data != nil {
		return nil
	}
	if b.data, err = nameless(b.dir); err != nil {
		return err
	}
	if b.index, err = nameless(b.dir); err != nil {
		b.data.Close()
		b.data = nil
	}
	return err
}

func nameless(dir string) (*os.File, error) {
	f, err := os.CreateTemp(dir, "filch-order-")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func (b *backlog) place() string {
	if b.dir == "" {
		return os.TempDir()
	}
	return b.dir
}

// close frees everything.
func (b *backlog) close() error {
	for _, o := range b.held {
		o.close()
	}
	clear(b.held)
	if b.data == nil {
		return nil
	}
	return errors.Join(b.data.Close(), b.index.Close())
}

// weight estimates the memory that o holds.
func (o *Output) weight() int64 {
	n := int64(len(o.Tag) + len(o.Note))
	return n + min(length(o.Stdout), maxStreamWeight) + min(length(o.Stderr), maxStreamWeight)
}

// An appender writes to a place in a file. It gathers small writes, so that a
// short output costs one system call.
type appender struct {
	f   *os.File
	at  int64 // end of what was written or gathered
	buf []byte
}

const appenderBuffer = 4 << 10

func (a *appender) Write(p []byte) (int, error) {
	a.buf = append(a.buf, p...)
	a.at += int64(len(p))
	if len(a.buf) < appenderBuffer {
		return len(p), nil
	}
	return len(p), a.flush()
}

func (a *appender) flush() error {
	_, err := a.f.WriteAt(a.buf, a.at-int64(len(a.buf)))
	a.buf = a.buf[:0]
	return err
}

// finish writes what is gathered and the header, which belongs at start.
func (a *appender) finish(start int64, header []byte) error {
	if a.at-int64(len(a.buf)) == start+int64(len(header)) { // all of it is still in buf
		_, err := a.f.WriteAt(append(header, a.buf...), start)
		return err
	}
	if err := a.flush(); err != nil {
		return err
	}
	_, err := a.f.WriteAt(header, start)
	return err
}
