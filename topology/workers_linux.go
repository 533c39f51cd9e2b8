package topology

import (
	"math"
	"os"
)

// WorkersNow is Topology.Workers of the running machine as it is at this
// moment, from the affinity mask (which follows cpusets and CPUs that go
// offline) and the cgroup quota alone: cheap enough to ask once a second. It
// is 0 where that cannot be told.
func WorkersNow() int {
	mask, err := affinity(os.Getpid())
	if err != nil {
		return 0
	}
	n := max(1, mask.count())
	t := tree{os.DirFS("/")}
	if q, _ := t.quota(t.cgroupMounts(), t.membership()); q > 0 && q < float64(n) {
		n = max(1, int(math.Ceil(q)))
	}
	return n
}
