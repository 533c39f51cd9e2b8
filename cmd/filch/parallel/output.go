package parallel

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"sync"
)

// A Stream is what a command printed on one of its outputs. A nil Stream is an empty one.
type Stream interface {
	Len() int64
	io.WriterTo // everything, from the start, as often as asked
	io.Closer   // frees it
}

// Output is what the command of one row left behind. The Sequencer that it is
// given to owns it from then on and closes the streams.
type Output struct {
	Seq            uint64 // the row's
	Tag            string // put before each line, with a TAB, if the Sequencer was told to
	Stdout, Stderr Stream
	Note           string // a line of ours for standard error, after the command's; "" for none
}

// A WriteError says that output could not be written.
type WriteError struct {
	Stream string // "standard output" or "standard error"
	Err    error
}

func (e *WriteError) Error() string { return fmt.Sprintf("cannot write to %s: %v", e.Stream, e.Err) }
func (e *WriteError) Unwrap() error { return e.Err }

// A sink marks the errors of a writer as such, to tell them from those of what is
// copied there.
type sink struct {
	name string
	w    io.Writer
}

func (s sink) Write(p []byte) (int, error) {
	n, err := s.w.Write(p)
	if err != nil {
		err = &WriteError{s.name, err}
	}
	return n, err
}

// Arrange says how a Sequencer writes.
type Arrange struct {
	KeepOrder bool
	Tag       bool
	SpillDir  string // for output held back; "" is the default directory for temporary files
}

// A Sequencer writes the output of commands that end in any order, one
// command's as a whole: its standard output, then its standard error. It is
// safe for concurrent use. Put blocks while the reader of our output does;
// that is what holds the commands back when nobody reads.
type Sequencer struct {
	arrange  Arrange
	out, err *bufio.Writer

	mu      sync.Mutex // guards what follows, and the order of writes
	next    uint64     // the first row not yet written, in order
	waiting backlog
	broken  error // the first failure; nothing is written after it
}

// outputBuffer gathers the small writes that prefixing makes.
const outputBuffer = 32 << 10

// NewSequencer makes a Sequencer that writes to out and err.
func NewSequencer(out, err io.Writer, a Arrange) *Sequencer {
	return &Sequencer{
		arrange: a,
		out:     bufio.NewWriterSize(sink{"standard output", out}, outputBuffer),
		err:     bufio.NewWriterSize(sink{"standard error", err}, outputBuffer),
		next:    1,
		waiting: newBacklog(a.SpillDir),
	}
}

// Put hands over the output of one row. Its error is final: the output cannot be
// written, or not be held back, and no later one will be.
func (s *Sequencer) Put(o Output) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken != nil {
		o.close()
		return s.broken
	}
	if s.arrange.KeepOrder && o.Seq != s.next {
		s.broken = s.hold(o)
		return s.broken
	}
	s.broken = s.write(o)
	for s.next++; s.arrange.KeepOrder && s.broken == nil; s.next++ {
		found, err := s.waiting.release(s.next, s)
		if err != nil {
			s.broken = err
		}
		if !found {
			break
		}
	}
	return s.broken
}

// Drain writes what is held back, in order, and passes over rows that never came: for the end
// of a run that was cut short.
func (s *Sequencer) Drain() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for last := s.waiting.last(); s.broken == nil && s.next <= last; s.next++ {
		_, s.broken = s.waiting.release(s.next, s)
	}
	return s.broken
}

// Close drops what is still held back.
func (s *Sequencer) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.waiting.close()
}

// hold keeps o until its turn.
func (s *Sequencer) hold(o Output) error {
	if o.empty() {
		o.close()
		s.waiting.mark(o.Seq, silent)
		return nil
	}
	return s.waiting.add(o, s)
}

// write writes o and closes it.
func (s *Sequencer) write(o Output) error {
	defer o.close()
	if length(o.Stdout) > 0 {
		if err := flush(s.out, s.render(s.out, o.Stdout, "", o.Tag)); err != nil {
			return fmt.Errorf("task %d: %w", o.Seq, err)
		}
	}
	if length(o.Stderr) > 0 || o.Note != "" {
		if err := flush(s.err, s.render(s.err, o.Stderr, o.Note, o.Tag)); err != nil {
			return fmt.Errorf("task %d: %w", o.Seq, err)
		}
	}
	return nil
}

// copyOut writes output that is rendered already.
func (s *Sequencer) copyOut(out, errs *io.SectionReader) error {
	_, err := io.Copy(s.out, out)
	if err := flush(s.out, err); err != nil {
		return err
	}
	_, err = io.Copy(s.err, errs)
	return flush(s.err, err)
}

// flush flushes w, unless writing to it has failed already.
func flush(w *bufio.Writer, err error) error {
	if err != nil {
		return err
	}
	return w.Flush()
}

func length(s Stream) int64 {
	if s == nil {
		return 0
	}
	return s.Len()
}

// render writes a stream and a note to w as they are to appear.
func (s *Sequencer) render(w io.Writer, stream Stream, note, tag string) error {
	if s.arrange.Tag {
		w = &tagger{w: w, tag: tag + "\t"}
	}
	if stream != nil {
		if _, err := stream.WriteTo(w); err != nil {
			return err
		}
	}
	if note != "" {
		_, err := io.WriteString(w, note+"\n")
		return err
	}
	return nil
}

func (o *Output) empty() bool {
	return o.Note == "" && length(o.Stdout) == 0 && length(o.Stderr) == 0
}

// close frees the streams. They were read already, or are not wanted.
func (o *Output) close() {
	if o.Stdout != nil {
		o.Stdout.Close()
	}
	if o.Stderr != nil {
		o.Stderr.Close()
	}
}

// A tagger puts a tag before each line that passes through.
type tagger struct {
	w      io.Writer
	tag    string
	inLine bool
}

func (t *tagger) Write(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		if !t.inLine {
			if _, err := io.WriteString(t.w, t.tag); err != nil {
				return n, err
			}
		}
		line := p[n:]
		if i := bytes.IndexByte(line, '\n'); i >= 0 {
			line = line[:i+1]
		}
		t.inLine = line[len(line)-1] != '\n'
		m, err := t.w.Write(line)
		n += m
		if err != nil {
			return n, err
		}
	}
	return n, nil
}
