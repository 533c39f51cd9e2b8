package topology

import (
	"fmt"
	"strings"
)

// cache enters the cache that cache/indexN of a CPU describes, if the CPU is
// the first behind it.
func (r *sysfsReader) cache(cpu, index int) {
	dir := fmt.Sprintf("%s/cache/index%d", cpuPath(cpu), index)
	set, ok := r.mask(dir, "shared_cpu_map")
	if !ok {
		return
	}
	if set.empty() {
		// Itanium says nothing of who shares some caches: those of its core.
		if core, ok := r.topologyMask(cpu, "core_cpus", "thread_siblings"); ok {
			set = core
		}
	}
	if set = set.and(r.cpus); set.first() != cpu {
		return
	}
	level, ok := r.number(dir, "level")
	if !ok {
		return
	}
	typeName, _ := r.small(dir, "type")
	typ := cacheType(typeName)
	kind, ok := cacheKind(level, typ)
	if !ok {
		return
	}
	size, _ := r.small(dir, "size")
	line, _ := r.number(dir, "coherency_line_size")
	r.fam.insert(&region{
		kind: kind, set: set, os: -1,
		size: parseSize(size), line: int(min(max(line, 0), 1<<16)), typ: typ,
	})
}

func cacheType(name string) CacheType {
	switch {
	case strings.HasPrefix(name, "Data"):
		return CacheData
	case strings.HasPrefix(name, "Instruction"):
		return CacheInstruction
	default:
		return CacheUnified
	}
}

// cacheKind is the region kind of a cache; levels beyond L5, or beyond L3 for
// instructions, are nonsense.
func cacheKind(level int64, typ CacheType) (regionKind, bool) {
	switch {
	case typ == CacheInstruction && level >= 1 && level <= 3:
		return regionL1i - regionKind(level-1), true
	case typ != CacheInstruction && level >= 1 && level <= 5:
		return regionL1 - regionKind(level-1), true
	default:
		return 0, false
	}
}

// cacheLevel is the level of any cache region, 0 for what is no cache.
func (r *region) cacheLevel() int {
	if r.kind >= regionL3i && r.kind <= regionL1i {
		return int(regionL1i-r.kind) + 1
	}
	return r.level()
}
