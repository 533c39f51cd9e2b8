package topology

// What sysfs says of each CPU. The rules for contradictory or missing files
// are those of hwloc's Linux backend, the most widely tried reader of these
// files, so that both draw the same machine.

// maxCacheIndexes bounds the cache/indexN directories of one CPU; real ones
// have four or five.
const maxCacheIndexes = 10

// cpuCensus is which CPUs there are.
type cpuCensus struct {
	all       cpuSet // everything that has a directory, or is otherwise known
	described cpuSet // online and described by a topology directory
}

// census finds the CPUs. A CPU that is online but has no topology directory
// counts as not described, unless no CPU has one: a kernel built for one
// processor, or a sandbox, has none at all.
func (t tree) census() cpuCensus {
	var c cpuCensus
	c.all = t.numbered("cpu", cpuDir)
	online, haveOnline := t.list(cpuDir, "online")
	haveOnline = haveOnline && !online.empty()
	var on cpuSet
	for cpu := range c.all.members {
		if haveOnline && !online.has(cpu) || !haveOnline && t.switchedOff(cpu) {
			continue
		}
		on.add(cpu)
		if t.exists(cpuPath(cpu), "topology") {
			c.described.add(cpu)
		}
	}
	if c.described.empty() {
		c.described = on
	}
	return c
}

func (t tree) switchedOff(cpu int) bool {
	n, ok := t.number(cpuPath(cpu), "online")
	return ok && n == 0
}

// topologyMask reads a CPU's mask under its name of today or the one it had
// before Linux 5.2.
func (t tree) topologyMask(cpu int, name, oldName string) (cpuSet, bool) {
	if s, ok := t.mask(cpuPath(cpu), "topology", name); ok {
		return s, true
	}
	return t.mask(cpuPath(cpu), "topology", oldName)
}

func (t tree) topologyID(cpu int, name string) int {
	if n, ok := t.number(cpuPath(cpu), "topology", name); ok && n >= -1 && n < 1<<31 {
		return int(n)
	}
	return -1
}

// A sysfsReader collects the regions of the described CPUs. A region is
// entered by its first CPU only, so that a thing described by all its CPUs is
// there once, and so that CPUs that contradict the first one do not count.
type sysfsReader struct {
	tree
	cpus cpuSet // the described CPUs; masks are cut down to them
	fam  *family
	// computeUnits is set for processors that call the two cores of a compute
	// unit thread siblings: AMD's Bulldozer and its successors. sysfs gives
	// such "threads" core numbers of their own; split says that it does,
	// which the first pair of siblings decides.
	computeUnits, splitKnown, split bool
}

func (t tree) regions(c cpuCensus, info cpuinfo) *family {
	r := &sysfsReader{tree: t, cpus: c.described, fam: &family{}, computeUnits: info.hasComputeUnits()}
	for cpu := range c.described.members {
		r.cpu(cpu)
	}
	return r.fam
}

func (r *sysfsReader) cpu(cpu int) {
	firstOfCore := r.core(cpu)
	firstOfDie := false
	var cluster, die cpuSet
	if firstOfCore {
		var firstOfCluster bool
		cluster, firstOfCluster = r.group(cpu, "cluster_cpus")
		firstOfDie = firstOfCluster
		if firstOfCluster {
			die, firstOfDie = r.group(cpu, "die_cpus")
		}
	}
	if firstOfDie {
		r.pkg(cpu)
	}
	r.fam.insert(&region{kind: regionGroup, set: cluster, os: -1})
	r.fam.insert(&region{kind: regionDie, set: die, os: r.topologyID(cpu, "die_id")})
	r.books(cpu)
	for i := range maxCacheIndexes {
		r.cache(cpu, i)
	}
}

// core enters the CPU's core and reports whether the CPU is its first.
func (r *sysfsReader) core(cpu int) bool {
	set, ok := r.topologyMask(cpu, "core_cpus", "thread_siblings")
	if !ok {
		return true
	}
	set = set.and(r.cpus)
	if r.computeUnits && !r.splitKnown && set.count() > 1 {
		r.splitKnown = true
		r.split = r.siblingsHaveOwnIDs(cpu, set)
	}
	first := set.first() == cpu
	alone := r.computeUnits && (r.split || !r.splitKnown)
	if alone {
		set = nil
		set.add(cpu)
	}
	if first || alone {
		r.fam.insert(&region{kind: regionCore, set: set, os: r.topologyID(cpu, "core_id")})
	}
	return first
}

func (r *sysfsReader) siblingsHaveOwnIDs(cpu int, set cpuSet) bool {
	for other := range set.members {
		if other != cpu {
			return r.topologyID(other, "core_id") != r.topologyID(cpu, "core_id")
		}
	}
	return false
}

// group reads a cluster or die: nil where the CPU has none or is alone in it
// (what kernels say that know nothing of dies). It also reports whether the
// CPU may still be the first of the next larger thing.
func (r *sysfsReader) group(cpu int, name string) (set cpuSet, first bool) {
	set, ok := r.mask(cpuPath(cpu), "topology", name)
	if !ok {
		return nil, true
	}
	set = set.and(r.cpus)
	switch {
	case set.count() == 1:
		return nil, true
	case set.first() != cpu:
		return nil, false
	default:
		return set, true
	}
}

func (r *sysfsReader) pkg(cpu int) {
	set, ok := r.topologyMask(cpu, "package_cpus", "core_siblings")
	if !ok {
		return
	}
	if set = set.and(r.cpus); set.first() == cpu {
		r.fam.insert(&region{kind: regionPackage, set: set, os: r.topologyID(cpu, "physical_package_id")})
	}
}

// books enters the books and drawers that mainframes (s390) group packages in.
func (r *sysfsReader) books(cpu int) {
	for _, level := range []string{"book", "drawer"} {
		set, ok := r.mask(cpuPath(cpu), "topology", level+"_siblings")
		if !ok {
			continue
		}
		if set = set.and(r.cpus); set.first() == cpu {
			r.fam.insert(&region{kind: regionGroup, set: set, os: r.topologyID(cpu, level+"_id")})
		}
	}
}
