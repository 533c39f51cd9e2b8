package topology

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// readLive reads the files of the running kernel, and the affinity mask.
func readLive() (*Topology, error) {
	t := tree{os.DirFS("/")}
	mask, err := affinity(os.Getpid())
	if err != nil {
		return t.read(nil)
	}
	top, err := t.read(mask)
	if err != nil {
		// The mask is the kernel's word even where the files are not there.
		return flat(mask, 1), err
	}
	return top, nil
}

// affinity is the mask of a process's first thread: that of the calling thread
// may be narrowed, because workers can be pinned.
func affinity(pid int) (cpuSet, error) {
	set := unix.NewCPUSet(maxCPUs - 1)
	if err := unix.SchedGetaffinityDynamic(pid, set); err != nil {
		return nil, fmt.Errorf("topology: sched_getaffinity: %w", err)
	}
	var s cpuSet
	for cpu := range maxCPUs {
		if set.IsSet(cpu) {
			s.add(cpu)
		}
	}
	if s.empty() {
		return nil, fmt.Errorf("topology: sched_getaffinity: empty mask")
	}
	return s, nil
}
