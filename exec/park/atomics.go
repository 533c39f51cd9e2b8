//go:build !stepper

package park

import "sync/atomic"

// Places bounds the places that one Presence can tell apart: a stack each, and
// one for the inbox. An engine with more stacks than that has some whose
// tasks cannot be stolen; 1,024 are 16 words to look at for who searches.
const Places = 1024

// Word is an atomic bit set. Builds for the stepper replace it.
type Word = atomic.Uint64
