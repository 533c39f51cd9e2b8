package proc

import (
	"fmt"
	"os"
	"strings"
	"sync/atomic"
)

// A floor is our own peak memory, which is in the peak of every child: a peak that is
// not above the floor may be ours. getrusage is no help: ours has in turn that of filch in it.
type floor struct{ bytes atomic.Int64 }

// under returns the floor under a child's peak. It looks again only where that could
// make a difference.
func (f *floor) under(peak int64) int64 {
	known := f.bytes.Load()
	if peak > known && peak < floorExpected {
		known = peakOfAddressSpace()
		f.bytes.Store(known)
	}
	return known
}

// floorExpected is more than a supervisor has ever had.
const floorExpected = 64 << 20

// peakOfAddressSpace is the most that this program had resident, bytes, since it was executed.
func peakOfAddressSpace() int64 {
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			var kib int64
			fmt.Sscan(rest, &kib)
			return kib << 10
		}
	}
	return floorExpected // we cannot tell, and claim nothing
}
