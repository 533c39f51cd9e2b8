//go:build stepper

package deque

import "github.com/filchsched/filch/exec/stepper"

type (
	index          = stepper.Int64
	word           = stepper.Uint64
	pointer[T any] = stepper.Pointer[T]
)

// Name gives the words of the span the names that traces show.
func (s *Span[T]) Name(name string) {
	stepper.Name(&s.word, "%s.word", name)
	stepper.Name(&s.body, "%s.body", name)
	stepper.Name(&s.base, "%s.base", name)
}
