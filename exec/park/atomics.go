//go:build !stepper

package park

import "sync/atomic"

// Word is an atomic bit set. Test builds replace it by the stepper's.
type Word = atomic.Uint64
