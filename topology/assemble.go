package topology

import (
	"cmp"
	"slices"
)

// A machine is everything that was read, before it is made a Topology.
type machine struct {
	census  cpuCensus
	fam     *family
	nodes   []*numaNode
	mems    cpuSet // nodes that the cpuset grants; nil for all
	usable  cpuSet
	kinds   map[int]CoreKind
	memory  int64
	noCache bool // nothing at all is said about caches
}

// assemble numbers what the usable CPUs share and lists what is kept.
func (m *machine) assemble() *Topology {
	t := &Topology{Memory: m.memory}
	all := m.census.described
	nodes := m.keptNodes()
	m.noCache = !slices.ContainsFunc(m.fam.regions, func(r *region) bool { return r.level() > 0 })

	cpus := m.usable.slice()
	core, pkg, node := make([]int, len(cpus)), make([]int, len(cpus)), make([]int, len(cpus))
	ids := map[*region]int{}
	id := func(r *region) int {
		if _, ok := ids[r]; !ok {
			ids[r] = len(ids)
		}
		return ids[r]
	}
	for i, cpu := range cpus {
		// A CPU of no core is a core of its own; CPUs of no package are
		// together in the one that nobody described.
		core[i] = -1 - cpu
		if r := m.fam.outermost(cpu, isKind(regionCore)); r != nil {
			core[i] = id(r)
		}
		pkg[i] = -1
		if r := m.fam.outermost(cpu, isKind(regionPackage)); r != nil {
			pkg[i] = id(r)
		}
		node[i] = m.nodeOf(cpu)
	}
	pkg = refine(pkg, core)
	numa := refine(refine(node, core), pkg)
	llc := m.lastLevels(cpus, core, pkg, numa, id)
	llc = refine(refine(llc, core), pkg)
	numa = refine(numa, llc)

	t.CPUs = make([]CPU, len(cpus))
	for i, cpu := range cpus {
		t.CPUs[i] = CPU{OS: cpu, Core: core[i], LLC: llc[i], NUMA: numa[i], Package: pkg[i], Node: node[i], Kind: m.kinds[cpu]}
	}
	densify(t.CPUs)
	t.buildIndex()
	m.list(t, nodes, all)
	return t
}

func isKind(k regionKind) func(*region) bool {
	return func(r *region) bool { return r.kind == k }
}

// keptNodes are the nodes that the cpuset grants. A machine without NUMA is
// one node; a cpuset that grants no node that exists is nonsense and ignored.
func (m *machine) keptNodes() []*numaNode {
	if len(m.nodes) == 0 {
		m.nodes = []*numaNode{{own: m.census.described, local: m.census.described, memory: m.memory}}
	}
	if m.mems == nil {
		return m.nodes
	}
	kept := slices.DeleteFunc(slices.Clone(m.nodes), func(n *numaNode) bool { return !m.mems.has(n.os) })
	if len(kept) == 0 {
		return m.nodes
	}
	return kept
}

// nodeOf is the number of the smallest node whose CPUs include this one,
// granted or not: who may allocate where changes nothing about who is near.
func (m *machine) nodeOf(cpu int) int {
	best := -1
	var set cpuSet
	for _, n := range m.nodes {
		if n.own.has(cpu) && (best < 0 || n.own.subsetOf(set)) {
			best, set = n.os, n.own
		}
	}
	return best
}

// lastLevels labels who shares a last-level cache. Where no cache of the whole
// machine is known, the smaller of node and package stands in, as in the
// Linux scheduler (cpu_coregroup_mask); where only some CPUs lack one, they
// share it with their core alone.
func (m *machine) lastLevels(cpus, core, pkg, numa []int, id func(*region) int) []int {
	llc := make([]int, len(cpus))
	if m.noCache {
		copy(llc, finer(pkg, numa))
		return llc
	}
	for i, cpu := range cpus {
		llc[i] = -1 - (core[i]+maxCPUs)*2 // no region has such a number, each core another
		if r := m.fam.lastLevel(cpu); r != nil {
			llc[i] = id(r)
		}
	}
	return llc
}

// refine splits the classes of labels that cross a class of other (overlap it,
// and neither holds the other), and returns the new labels. Distances are an
// ultrametric only if all classes nest; in a truthful machine they do.
func refine(labels, other []int) []int {
	type pair struct{ a, b int }
	size, otherSize, joint := map[int]int{}, map[int]int{}, map[pair]int{}
	for i, a := range labels {
		size[a]++
		otherSize[other[i]]++
		joint[pair{a, other[i]}]++
	}
	out, fresh := make([]int, len(labels)), map[pair]int{}
	unused := min(0, slices.Min(labels)) - 1
	for i, a := range labels {
		p := pair{a, other[i]}
		out[i] = a
		if n := joint[p]; n < size[a] && n < otherSize[other[i]] {
			if _, ok := fresh[p]; !ok {
				fresh[p] = unused - len(fresh)
			}
			out[i] = fresh[p]
		}
	}
	return out
}

// finer labels each position by the smaller of its two classes.
func finer(a, b []int) []int {
	sizeA, sizeB := map[int]int{}, map[int]int{}
	for i := range a {
		sizeA[a[i]]++
		sizeB[b[i]]++
	}
	type class struct {
		second bool
		label  int
	}
	ids := map[class]int{}
	out := make([]int, len(a))
	for i := range a {
		c := class{label: a[i]}
		if sizeB[b[i]] < sizeA[a[i]] {
			c = class{true, b[i]}
		}
		if _, ok := ids[c]; !ok {
			ids[c] = len(ids)
		}
		out[i] = ids[c]
	}
	return out
}

// densify renumbers what the CPUs share from 0, in order of the first CPU, and
// ranks the threads of each core.
func densify(cpus []CPU) {
	for _, field := range []func(*CPU) *int{
		func(c *CPU) *int { return &c.Core },
		func(c *CPU) *int { return &c.LLC },
		func(c *CPU) *int { return &c.NUMA },
		func(c *CPU) *int { return &c.Package },
	} {
		ids := map[int]int{}
		for i := range cpus {
			p := field(&cpus[i])
			if _, ok := ids[*p]; !ok {
				ids[*p] = len(ids)
			}
			*p = ids[*p]
		}
	}
	threads := map[int]int{}
	for i := range cpus {
		cpus[i].Thread = threads[cpus[i].Core]
		threads[cpus[i].Core]++
	}
}

// list fills in packages, nodes and caches.
func (m *machine) list(t *Topology, nodes []*numaNode, all cpuSet) {
	attached := make([]cpuSet, len(nodes))
	for i, n := range nodes {
		attached[i] = n.local
		if n.local.empty() || m.fam.crosses(n.local) {
			attached[i] = m.fam.cover(n.local, all)
		}
		t.Nodes = append(t.Nodes, Node{OS: n.os, CPUs: m.usableOf(n.local, attached[i]), Memory: n.memory})
	}
	last := map[*region]bool{}
	for cpu := range all.members {
		if r := m.fam.lastLevel(cpu); r != nil {
			last[r] = true
		}
	}
	for _, r := range m.sortedRegions() {
		if !m.keeps(r, attached) {
			continue
		}
		cpus := r.set.and(m.usable).slice()
		if r.kind == regionPackage {
			t.Packages = append(t.Packages, Package{OS: r.os, CPUs: cpus})
		}
		if level := r.cacheLevel(); level > 0 {
			c := Cache{Level: level, Type: r.typ, Size: r.size, Line: r.line, CPUs: cpus}
			t.Caches = append(t.Caches, c)
			if last[r] {
				t.LLCs = append(t.LLCs, c)
			}
		}
	}
	if len(t.Packages) == 0 {
		t.Packages = []Package{{OS: -1, CPUs: m.usable.slice()}}
	}
}

// usableOf is who a node's memory is local to: the CPUs that it names, or,
// where they cut a package or cache in two, the least thing that holds them.
func (m *machine) usableOf(local, attached cpuSet) []int {
	if local.empty() {
		return []int{}
	}
	return attached.and(m.usable).slice()
}

// keeps reports whether a region is part of what this process sees: it has a
// usable CPU, or holds the memory of a granted node. Of several regions with
// exactly the node's CPUs the outermost holds it.
func (m *machine) keeps(r *region, attached []cpuSet) bool {
	if r.set.intersects(m.usable) {
		return true
	}
	for _, a := range attached {
		if !a.subsetOf(r.set) {
			continue
		}
		if !r.set.subsetOf(a) || m.outermostOf(r) {
			return true
		}
	}
	return false
}

func (m *machine) outermostOf(r *region) bool {
	for _, other := range m.fam.of[r.set.first()] {
		if other.kind < r.kind && other.kind != regionGroup && other.set.equal(r.set) {
			return false
		}
	}
	return true
}

// sortedRegions are the regions by first CPU, outer ones first.
func (m *machine) sortedRegions() []*region {
	return slices.SortedStableFunc(slices.Values(m.fam.regions), func(a, b *region) int {
		return cmp.Or(cmp.Compare(a.set.first(), b.set.first()), cmp.Compare(a.kind, b.kind))
	})
}
