package topology

// A regionKind is what a region is. The order is that of nesting where two
// regions hold the same CPUs: the smaller kind is the outer one.
type regionKind uint8

const (
	regionGroup regionKind = iota // clusters, books, drawers: only shape the rest
	regionPackage
	regionDie
	regionL5
	regionL4
	regionL3
	regionL2
	regionL1
	regionL3i
	regionL2i
	regionL1i
	regionCore
)

// A region is a set of CPUs that share something. A family keeps its regions
// laminar: any two are disjoint or one holds the other.
type region struct {
	kind regionKind
	set  cpuSet
	os   int // the thing's number in sysfs, or -1

	size int64 // caches only
	line int
	typ  CacheType
}

// level is the level of a data or unified cache, 0 for any other region.
func (r *region) level() int {
	if r.kind >= regionL5 && r.kind <= regionL1 {
		return int(regionL1-r.kind) + 1
	}
	return 0
}

// A family is a laminar set of regions. What contradicts an earlier claim is
// left out: a machine's tables are written by many hands, and one wrong mask
// must not make distances that contradict each other.
type family struct {
	regions []*region
	of      [][]*region // by CPU number: the regions that hold it
	checked map[*region]bool
}

// insert adds r unless it crosses a region that is there already, or repeats
// one of the same kind. It reports whether r was added.
//
// Only regions that share a CPU with r can cross it, so those lists are all
// that it looks at: linear in |r| times the depth of the nesting.
func (f *family) insert(r *region) bool {
	if r.set.empty() {
		return false
	}
	clear(f.checked)
	for cpu := range r.set.members {
		if cpu >= len(f.of) {
			continue
		}
		for _, other := range f.of[cpu] {
			if f.checked[other] {
				continue
			}
			f.mark(other)
			inside, around := r.set.subsetOf(other.set), other.set.subsetOf(r.set)
			if !inside && !around || inside && around && other.kind == r.kind {
				return false
			}
		}
	}
	f.regions = append(f.regions, r)
	for cpu := range r.set.members {
		for len(f.of) <= cpu {
			f.of = append(f.of, nil)
		}
		f.of[cpu] = append(f.of[cpu], r)
	}
	return true
}

func (f *family) mark(r *region) {
	if f.checked == nil {
		f.checked = map[*region]bool{}
	}
	f.checked[r] = true
}

// outermost is the largest region of a kind that holds the CPU, or nil: regions
// of one kind may nest in tables that are wrong, and then who is in the larger
// one shares it.
func (f *family) outermost(cpu int, is func(*region) bool) *region {
	var best *region
	if cpu >= len(f.of) {
		return nil
	}
	for _, r := range f.of[cpu] {
		if is(r) && (best == nil || best.set.subsetOf(r.set)) {
			best = r
		}
	}
	return best
}

// lastLevel is the data or unified cache of the highest level that the CPU is
// behind, or nil.
func (f *family) lastLevel(cpu int) *region {
	if cpu >= len(f.of) {
		return nil
	}
	best := 0
	for _, r := range f.of[cpu] {
		best = max(best, r.level())
	}
	if best == 0 {
		return nil
	}
	return f.outermost(cpu, func(r *region) bool { return r.level() == best })
}

// cover is the smallest set of the family that holds all of s; all when none
// does.
func (f *family) cover(s, all cpuSet) cpuSet {
	best := all
	if first := s.first(); first >= 0 && first < len(f.of) {
		for _, r := range f.of[first] {
			if s.subsetOf(r.set) && r.set.subsetOf(best) {
				best = r.set
			}
		}
	}
	return best
}

// crosses reports whether s cuts a region: overlaps it, and neither holds the
// other.
func (f *family) crosses(s cpuSet) bool {
	for cpu := range s.members {
		if cpu >= len(f.of) {
			continue
		}
		for _, r := range f.of[cpu] {
			if !s.subsetOf(r.set) && !r.set.subsetOf(s) {
				return true
			}
		}
	}
	return false
}
