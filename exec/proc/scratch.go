package proc

import "sync"

// scratchSize is what a Linux pipe holds by default: one read empties it.
const scratchSize = 64 << 10

// scratch holds buffers for moving output. One is taken for a single move, not
// for the life of a command, so that a thousand quiet commands hold none.
var scratch = sync.Pool{New: func() any { return new([scratchSize]byte) }}
