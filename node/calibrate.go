package node

import (
	"crypto/sha256"
	"encoding/binary"
	"sync"
	"time"

	gossipcore "github.com/filchsched/filch/gossip/core"
)

// A calibration measures one core for a few milliseconds, so that the first decision about a machine knows more than
// how many cores it has: a bit of arithmetic that waits for itself, memory that does not fit into the nearest cache, and
// hashing, which shows vector and crypto units. What a certain function makes of the core is learnt from its runs.
const (
	calibrationRounds = 5                      // of which the quickest counts: the others were disturbed
	calibrationUsual  = 420 * time.Microsecond // what a round takes on the core of speed 1, one of 3 GHz of 2020
)

// coreSpeed is how fast a core of this machine is, 1000 being the core of speed 1. The first call measures; the others
// remember. It takes about 2 ms of CPU.
var coreSpeed = sync.OnceValue(func() int {
	best := time.Hour
	memory := make([]uint64, 1<<15)
	for range calibrationRounds {
		began := time.Now()
		calibrate(memory)
		best = min(best, time.Since(began))
	}
	return int(min(max(1000*calibrationUsual/max(best, 1), 16), 64_000, gossipcore.MaxSpeed))
})

// calibrate is one round.
func calibrate(memory []uint64) (sum uint64) {
	x := uint64(88172645463325252)
	for range 100_000 { // xorshift: each step waits for the one before
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
	}
	for k := range memory {
		x = x*6364136223846793005 + 1442695040888963407
		memory[x>>49] += uint64(k) + x
	}
	var block [16 << 10]byte
	for k := 0; k < len(block); k += 8 {
		binary.LittleEndian.PutUint64(block[k:], memory[k]+x)
	}
	for range 4 {
		h := sha256.Sum256(block[:])
		copy(block[:], h[:])
	}
	return sum + binary.LittleEndian.Uint64(block[:]) + x
}
