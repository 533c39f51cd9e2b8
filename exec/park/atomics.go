//go:build !stepper

package park

import "sync/atomic"

// word is an atomic bit set. Test builds replace it by the stepper's.
type word = atomic.Uint64
