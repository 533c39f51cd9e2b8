package parallel

import (
	"bytes"
	"io"
)

// maxLiveLine bounds what is held of a line that does not end. A longer one is passed on in
// pieces, which may then mix with other lines: rather that than memory without
// a bound for `yes | tr -d '\n'`.
const maxLiveLine = 1 << 20

// Live returns writers for the output of a command that is to appear while it
// runs, whole lines at a time. finish writes what is left when the command has
// ended. Each writer is for one goroutine; different ones may be used at once.
// Errors are final, as those of Put.
func (s *Sequencer) Live(tag string) (out, err io.Writer, finish func() error) {
	if s.arrange.Tag {
		tag += "\t"
	}
	o := &liveWriter{s: s, tag: tag, isErr: false}
	e := &liveWriter{s: s, tag: tag, isErr: true}
	return o, e, func() error {
		if err := o.pass(len(o.held)); err != nil {
			return err
		}
		return e.pass(len(e.held))
	}
}

type liveWriter struct {
	s      *Sequencer
	tag    string
	isErr  bool
	inLine bool // the last piece that was passed on did not end its line
	held   []byte
}

func (l *liveWriter) Write(p []byte) (int, error) {
	l.held = append(l.held, p...)
	n := bytes.LastIndexByte(l.held, '\n') + 1
	if n == 0 && len(l.held) > maxLiveLine {
		n = len(l.held)
	}
	return len(p), l.pass(n)
}

// pass writes the first n bytes of what is held.
func (l *liveWriter) pass(n int) error {
	if n == 0 {
		return nil
	}
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	if l.s.broken != nil {
		return l.s.broken
	}
	to := l.s.out
	if l.isErr {
		to = l.s.err
	}
	var w io.Writer = to
	if l.s.arrange.Tag {
		t := &tagger{w: to, tag: l.tag, inLine: l.inLine}
		defer func() { l.inLine = t.inLine }()
		w = t
	}
	_, err := w.Write(l.held[:n])
	l.s.broken = flush(to, err)
	l.held = l.held[:copy(l.held, l.held[n:])]
	return l.s.broken
}
