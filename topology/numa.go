package topology

import (
	"slices"
	"strconv"
	"strings"
)

// maxDistanceNodes bounds the nodes whose distances are compared: beyond it
// the table (a number per pair) is not worth reading. Linux's MAX_NUMNODES is
// 1024.
const maxDistanceNodes = 1024

// A numaNode is a node while it is being read.
type numaNode struct {
	os     int
	own    cpuSet // the described CPUs that the kernel puts into it
	local  cpuSet // the CPUs that its memory is near to
	memory int64
}

// numaNodes reads the nodes, by rising number. Those without CPUs get the CPUs
// that the firmware says are nearest.
func (t tree) numaNodes(c cpuCensus, info cpuinfo) []*numaNode {
	numbers, ok := t.list(nodeDir, "online")
	if !ok || numbers.empty() {
		numbers = t.numbered("node", nodeDir)
	}
	hidden := t.gpuNodes(info)
	var nodes []*numaNode
	for n := range numbers.members {
		set, ok := t.mask(nodePath(n), "cpumap")
		if !ok || hidden.has(n) || t.contradicts(nodes, set) {
			continue
		}
		nodes = append(nodes, &numaNode{os: n, own: set, local: set, memory: t.nodeMemory(n)})
	}
	t.widenByInitiators(nodes)
	t.widenByDistance(nodes, numbers.slice())
	for _, n := range nodes {
		n.own, n.local = n.own.and(c.described), n.local.and(c.described)
	}
	return nodes
}

// contradicts reports whether a node's CPUs repeat or cross those of an
// earlier node: firmware that lists every CPU in every node is known. Only an
// emulation of nodes on the kernel's command line repeats them truthfully.
func (t tree) contradicts(nodes []*numaNode, set cpuSet) bool {
	for _, n := range nodes {
		if !n.own.intersects(set) {
			continue
		}
		if n.own.equal(set) {
			return !t.emulatesNodes()
		}
		if !n.own.subsetOf(set) && !set.subsetOf(n.own) {
			return true
		}
	}
	return false
}

// emulatesNodes recognises "numa=fake=<N>U", which splits each node in N.
func (t tree) emulatesNodes() bool {
	line, _ := t.small("proc/cmdline")
	_, arg, ok := strings.Cut(line, "numa=fake=")
	if !ok {
		return false
	}
	rest := strings.TrimLeft(arg, "0123456789")
	return len(rest) < len(arg) && strings.HasPrefix(rest, "U")
}

func (t tree) nodeMemory(node int) int64 {
	text, _ := t.small(nodePath(node), "meminfo")
	return memTotal(text)
}

// memTotal reads the MemTotal line of a meminfo file, in bytes.
func memTotal(text string) int64 {
	_, rest, ok := strings.Cut(text, "MemTotal:")
	if !ok {
		return 0
	}
	kib, ok := leadingNumber(rest)
	if !ok || kib < 0 || kib > 1<<50 {
		return 0
	}
	return kib << 10
}

// gpuNodes are nodes that POWER machines make of GPU memory. They look like
// memory to allocate from and are not.
func (t tree) gpuNodes(info cpuinfo) cpuSet {
	var s cpuSet
	if !t.isPower(info) {
		return s
	}
	const dir = "proc/driver/nvidia/gpus"
	for _, gpu := range t.names(dir) {
		text, _ := t.small(dir, gpu, "numa_status")
		if _, rest, ok := strings.Cut(text, "Node:"); ok {
			if n, ok := leadingNumber(rest); ok && n >= 0 && n < maxCPUs {
				s.add(int(n))
			}
		}
	}
	return s
}

// widenByInitiators follows the kernel's HMAT tables: a node's memory is as
// near to the CPUs of its initiators as to its own. access1 leaves out
// initiators that are no CPUs, so it goes first.
func (t tree) widenByInitiators(nodes []*numaNode) {
	for _, n := range slices.Concat(withCPUs(nodes), withoutCPUs(nodes)) {
		for _, access := range []string{"access1", "access0"} {
			dir := nodePath(n.os) + "/" + access + "/initiators"
			if !t.exists(dir) {
				continue
			}
			for i := range t.numbered("node", dir).members {
				if k := slices.IndexFunc(nodes, func(o *numaNode) bool { return o.os == i }); k >= 0 && i != n.os {
					n.local = n.local.or(nodes[k].local)
				}
			}
			break
		}
	}
}

func withCPUs(nodes []*numaNode) []*numaNode {
	return slices.DeleteFunc(slices.Clone(nodes), func(n *numaNode) bool { return n.own.empty() })
}

func withoutCPUs(nodes []*numaNode) []*numaNode {
	return slices.DeleteFunc(slices.Clone(nodes), func(n *numaNode) bool { return !n.own.empty() })
}

// widenByDistance gives memory that is still near to nobody to the nodes that
// the distance table puts nearest, unless it puts all of them at one distance.
// The table has a column per node that is online, kept or not.
func (t tree) widenByDistance(nodes []*numaNode, online []int) {
	if len(online) > maxDistanceNodes || len(online) < 2 {
		return
	}
	for _, n := range nodes {
		if !n.local.empty() {
			continue
		}
		row := t.distanceRow(n.os)
		if len(row) < len(online) {
			continue
		}
		for _, near := range nearest(n.os, nodes, online, row) {
			n.local = n.local.or(near.local)
		}
	}
}

func (t tree) distanceRow(node int) []int {
	text, _ := t.small(nodePath(node), "distance")
	var row []int
	for _, f := range strings.Fields(text) {
		d, err := strconv.Atoi(f)
		if err != nil {
			return nil
		}
		row = append(row, d)
	}
	return row
}

func nearest(self int, nodes []*numaNode, online, row []int) []*numaNode {
	var near []*numaNode
	least := 0
	for _, n := range nodes {
		col := slices.Index(online, n.os)
		if n.os == self || col < 0 {
			continue
		}
		switch d := row[col]; {
		case len(near) == 0 || d < least:
			near, least = []*numaNode{n}, d
		case d == least:
			near = append(near, n)
		}
	}
	if col := slices.Index(online, self); col < 0 || least <= row[col] || len(near) == len(online)-1 {
		return nil
	}
	return near
}
