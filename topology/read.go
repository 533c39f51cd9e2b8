package topology

import (
	"errors"
	"fmt"
	"io/fs"
)

// ErrNoMachine is returned for a tree that describes no CPU.
var ErrNoMachine = errors.New("topology: no machine described here")

// ErrNoCPU is returned for a tree whose cpuset grants no CPU that is there.
var ErrNoCPU = errors.New("topology: no usable CPU")

// ReadFS reads the machine whose root directory fsys is: it wants sys and
// proc, and stands the absence of any file in them. It fails with ErrNoMachine
// when no CPU is described, and with ErrNoCPU when none is usable.
//
// Usable are the CPUs that are online, described and granted by the cpuset of
// the process that /proc/self stands for.
func ReadFS(fsys fs.FS) (*Topology, error) {
	return tree{fsys}.read(nil)
}

// read makes a Topology of the tree. affinity, if not nil, is the live
// process's mask; it then decides which CPUs are usable, and the cpuset, which
// it includes, only explains it.
func (t tree) read(affinity cpuSet) (*Topology, error) {
	info := t.cpuinfo()
	census := t.census()
	var fam *family
	if census.described.empty() {
		census = t.otherCensus(info)
	} else {
		fam = t.regions(census, info)
	}
	if census.described.empty() {
		return nil, fmt.Errorf("%w: neither %s nor proc/cpuinfo names a CPU", ErrNoMachine, cpuDir)
	}
	if fam == nil || len(fam.regions) == 0 {
		fam = info.regionsOf(census.described)
	}
	mounts, member := t.cgroupMounts(), t.membership()
	grant := t.allowed(mounts, member)
	m := &machine{census: census, fam: fam, mems: grant.mems}
	limits, err := m.restrict(grant, affinity)
	if err != nil {
		return nil, err
	}
	m.nodes = t.numaNodes(census, info)
	m.kinds = t.coreKinds(census.described)
	meminfo, _ := t.small("proc/meminfo")
	m.memory = memTotal(meminfo)

	top := m.assemble()
	top.Limits = limits
	top.Brand, top.Features = info.brand, info.flags
	top.Quota, top.QuotaFrom = t.quota(mounts, member)
	return top, nil
}

// otherCensus counts CPUs where sysfs has no directory for any: by sysfs's
// lists, else by /proc/cpuinfo.
func (t tree) otherCensus(info cpuinfo) cpuCensus {
	var c cpuCensus
	for _, name := range []string{"online", "present", "possible"} {
		if s, ok := t.list(cpuDir, name); ok && !s.empty() {
			c.all, c.described = s, s
			return c
		}
	}
	for _, p := range info.processors {
		c.all.add(p.os)
	}
	c.described = c.all
	return c
}

// restrict decides which CPUs are usable and remembers why others are not.
func (m *machine) restrict(grant allowed, affinity cpuSet) (Limits, error) {
	c := m.census
	m.usable = c.described
	l := Limits{Total: c.all.or(c.described).count(), Offline: c.all.without(c.described).slice(), CpusetFrom: grant.from}
	var withheld cpuSet
	if grant.cpus != nil {
		withheld = m.usable.without(grant.cpus)
	}
	if affinity != nil {
		// The mask is what counts; a cpuset file that disagrees is of another
		// namespace.
		withheld = withheld.without(affinity)
		l.Affinity = m.usable.without(affinity).without(withheld).slice()
		m.usable = m.usable.and(affinity)
	} else {
		m.usable = m.usable.without(withheld)
	}
	l.Cpuset = withheld.slice()
	if m.usable.empty() {
		return l, fmt.Errorf("%w: %d CPUs described (%s), none of them granted (cpuset %s)",
			ErrNoCPU, c.described.count(), clip(c.described.String()), clip(grant.cpus.String()))
	}
	return l, nil
}
