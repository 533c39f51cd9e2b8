package proc

import (
	"strconv"
	"strings"
	"sync/atomic"

	"golang.org/x/sys/unix"
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
// A command's report waits for it, so it reads without package os, whose files may switch threads.
func peakOfAddressSpace() int64 {
	fd, err := unix.Open("/proc/self/status", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return floorExpected // we cannot tell, and claim nothing
	}
	defer unix.Close(fd)
	status := make([]byte, 4096) // more than twice of what there is
	n, _ := unix.Read(fd, status)
	for line := range strings.Lines(string(status[:max(n, 0)])) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			if err == nil {
				return kib << 10
			}
		}
	}
	return floorExpected
}
