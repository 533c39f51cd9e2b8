package topology

import (
	"fmt"
	"slices"
	"strings"
)

// A machine of up to fullTreeCPUs is drawn core by core; above that a line
// lists all cores of a last-level cache, and siblings that look alike are
// drawn once.
const fullTreeCPUs = 32

// A branch is a line of the tree with what hangs below it. Two branches of one
// shape differ only in their numbers and sizes.
type branch struct {
	label    string
	shape    string
	noun     string
	cpus     []int
	children []branch
}

func (d *drawing) tree() {
	root := branch{children: d.split(d.t.CPUs, treeLevels)}
	root.children = append(root.children, d.lenders()...)
	d.branches(root.children, 0)
}

// A treeLevel is one of the things that a machine is divided into.
type treeLevel struct {
	noun  string
	nouns string
	of    func(CPU) int
	name  func(*Topology, CPU) string
}

var treeLevels = []treeLevel{
	{"package", "packages", func(c CPU) int { return c.Package }, packageName},
	{"numa", "NUMA nodes", func(c CPU) int { return c.NUMA }, nodeName},
	{"llc", "last-level caches", func(c CPU) int { return c.LLC }, llcName},
	{"core", "cores", func(c CPU) int { return c.Core }, coreName},
}

// split divides CPUs by the largest of the remaining levels, so that a NUMA
// node inside a cache comes out below it and one around packages above.
func (d *drawing) split(cpus []CPU, levels []treeLevel) []branch {
	if len(levels) == 0 {
		return nil
	}
	best := 0
	for i := range levels {
		if len(classes(cpus, levels[i].of)) < len(classes(cpus, levels[best].of)) {
			best = i
		}
	}
	level := levels[best]
	rest := slices.Delete(slices.Clone(levels), best, best+1)
	if level.noun == "core" && len(d.t.CPUs) > fullTreeCPUs {
		return []branch{coresBranch(cpus)}
	}
	var out []branch
	for _, class := range classes(cpus, level.of) {
		b := branch{noun: level.noun, cpus: osNumbers(class), children: d.split(class, rest)}
		b.label = fmt.Sprintf("%s %d", level.noun, level.of(class[0]))
		if detail := level.name(d.t, class[0]); detail != "" {
			b.label += "  " + detail
		}
		b.shape = level.noun + shapes(b.children)
		if len(b.children) == 0 {
			b.label += "  CPU " + FormatList(b.cpus)
			b.shape += fmt.Sprint(len(b.cpus))
		}
		out = append(out, b)
	}
	return out
}

func classes(cpus []CPU, of func(CPU) int) [][]CPU {
	var out [][]CPU
	at := map[int]int{}
	for _, c := range cpus {
		i, ok := at[of(c)]
		if !ok {
			i = len(out)
			at[of(c)] = i
			out = append(out, nil)
		}
		out[i] = append(out[i], c)
	}
	return out
}

func osNumbers(cpus []CPU) []int {
	out := make([]int, len(cpus))
	for i, c := range cpus {
		out[i] = c.OS
	}
	return out
}

func shapes(bs []branch) string {
	var s strings.Builder
	for _, b := range bs {
		s.WriteString("(" + b.shape + ")")
	}
	return s.String()
}

// coresBranch lists the cores of a group in one line.
func coresBranch(cpus []CPU) branch {
	cores := classes(cpus, func(c CPU) int { return c.Core })
	label := plural(len(cores), "core")
	if per := len(cpus) / len(cores); per > 1 && per*len(cores) == len(cpus) {
		label += fmt.Sprintf(" x %d threads", per)
	}
	if k := coreName(nil, cpus[0]); k != "" && !slices.ContainsFunc(cpus, func(c CPU) bool { return c.Kind != cpus[0].Kind }) {
		label += ", " + k
	}
	ns := osNumbers(cpus)
	return branch{noun: "core", label: label + "  CPU " + FormatList(ns), shape: label, cpus: ns}
}

func coreName(_ *Topology, c CPU) string {
	if c.Kind == KindUniform {
		return ""
	}
	return c.Kind.String()
}

func packageName(*Topology, CPU) string { return "" }

// nodeName names the node that the kernel puts the CPU in, and other memory
// that is local to it.
func nodeName(t *Topology, c CPU) string {
	if c.Node < 0 {
		return "no node"
	}
	name := fmt.Sprintf("node %d", c.Node)
	i := slices.IndexFunc(t.Nodes, func(n Node) bool { return n.OS == c.Node })
	switch {
	case i < 0:
		name += ", memory not granted"
	case t.Nodes[i].Memory > 0:
		name += ", " + bytesText(t.Nodes[i].Memory)
	}
	return name
}

func llcName(t *Topology, c CPU) string {
	i := slices.IndexFunc(t.LLCs, func(l Cache) bool { return slices.Contains(l.CPUs, c.OS) })
	if i < 0 {
		return "cache unknown"
	}
	name := cacheName(t.LLCs[i].Level, t.LLCs[i].Type)
	if t.LLCs[i].Size > 0 {
		name += " " + bytesText(t.LLCs[i].Size)
	}
	return name
}

// lenders are the nodes that no usable CPU belongs to.
func (d *drawing) lenders() []branch {
	var out []branch
	for _, n := range d.t.Nodes {
		if slices.ContainsFunc(d.t.CPUs, func(c CPU) bool { return c.Node == n.OS }) {
			continue
		}
		b := branch{noun: "memory", shape: "memory", label: fmt.Sprintf("memory  node %d, %s", n.OS, bytesText(n.Memory)), cpus: []int{}}
		if len(n.CPUs) > 0 && len(n.CPUs) < len(d.t.CPUs) {
			b.label += ", near CPU " + shortList(n.CPUs)
		}
		out = append(out, b)
	}
	return out
}

// branches draws siblings; on a large machine a run of one shape is drawn by
// its first.
func (d *drawing) branches(bs []branch, depth int) {
	const runs = 3 // fewer than that many alike are drawn
	indent := strings.Repeat("  ", depth)
	for i := 0; i < len(bs); {
		run := 1
		for i+run < len(bs) && bs[i+run].shape == bs[i].shape {
			run++
		}
		drawn := run
		if len(d.t.CPUs)+len(d.t.Nodes) > fullTreeCPUs && run >= runs {
			drawn = 1
		}
		for _, b := range bs[i : i+drawn] {
			d.line("%s%s", indent, b.label)
			d.branches(b.children, depth+1)
		}
		if more := run - drawn; more > 0 {
			var cpus cpuSet
			for _, b := range bs[i+drawn : i+run] {
				cpus = cpus.or(setOf(b.cpus))
			}
			s := fmt.Sprintf("... and %d more like it", more)
			if !cpus.empty() {
				s += ": CPU " + shortList(cpus.slice())
			}
			d.line("%s%s", indent, s)
		}
		i += run
	}
}
