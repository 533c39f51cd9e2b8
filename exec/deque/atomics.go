//go:build !stepper

package deque

import "sync/atomic"

// What is atomic. Builds for the stepper replace all of these.
type (
	index          = atomic.Int64
	word           = atomic.Uint64
	pointer[T any] = atomic.Pointer[T]
)
