package exec

import "github.com/filchsched/filch/exec/deque"

// maxSpan is the most tasks that a span holds.
const maxSpan = deque.MaxSpan

// A span is the piece of a bag that a stack is working on, open to thieves. It
// is a deque.Span that speaks of pieces.
type span struct{ deque.Span[chunk] }

func (s *span) open(p piece)                 { s.Open(p.chunk, p.lo, p.hi) }
func (s *span) next() (i int64, ok bool)     { return s.Next() }
func (s *span) close() (p piece)             { p.chunk, p.lo, p.hi = s.Close(); return p }
func (s *span) steal() (p piece, again bool) { p.chunk, p.lo, p.hi, again = s.Steal(); return p, again }
func (s *span) empty() bool                  { return s.Empty() }
