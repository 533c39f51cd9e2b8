package parallel

import "bytes"

func indexNewline(p []byte) int { return bytes.IndexByte(p, '\n') }

type backlog struct{ held map[uint64]*Output }

func newBacklog(string) backlog                     { return backlog{held: map[uint64]*Output{}} }
func (b *backlog) markEmpty(seq uint64, _ uint64)   { b.held[seq] = nil }
func (b *backlog) add(o Output, s *Sequencer) error { b.held[o.Seq] = &o; return nil }
func (b *backlog) close() error                     { return nil }
func (b *backlog) release(seq uint64, s *Sequencer) (bool, error) {
	o, ok := b.held[seq]
	if !ok {
		return false, nil
	}
	delete(b.held, seq)
	if o == nil {
		return true, nil
	}
	return true, s.write(*o)
}
