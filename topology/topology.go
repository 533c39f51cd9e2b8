package topology

import (
	"cmp"
	"math"
	"slices"
)

// A CPU is one logical processor (a hardware thread) that this process may
// use. Core, LLC, NUMA and Package are dense numbers from 0, counted in order
// of the first usable CPU; within one Topology two CPUs have the same number
// exactly when they share the thing. They are not the operating system's
// numbers, which may be sparse, repeated or missing.
type CPU struct {
	// OS is the operating system's number of the CPU, the one that taskset
	// and sched_setaffinity take.
	OS int
	// Core, LLC, NUMA and Package say what the CPU shares with others. The
	// package comment says what they are where the machine does not tell.
	Core, LLC, NUMA, Package int
	// Node is the operating system's number of the NUMA node whose CPU list
	// names this CPU, or -1 where no node does.
	Node int
	// Thread is the CPU's rank among the usable CPUs of its core, from 0:
	// those with Thread 0 are one per core.
	Thread int
	// Kind tells fast from frugal cores where a machine has both.
	Kind CoreKind
}

// Distance is the nearest level that two CPUs of one Topology share; it needs
// nothing but the two values.
func (c CPU) Distance(d CPU) Level {
	switch {
	case c.OS == d.OS:
		return LevelSelf
	case c.Core == d.Core:
		return LevelCore
	case c.LLC == d.LLC:
		return LevelLLC
	case c.NUMA == d.NUMA:
		return LevelNUMA
	case c.Package == d.Package:
		return LevelSocket
	default:
		return LevelHost
	}
}

// A CoreKind tells the cores of a hybrid processor apart.
type CoreKind uint8

// The kinds of core. On a machine whose cores are all alike, every one is
// KindUniform.
const (
	KindUniform     CoreKind = iota // all cores of the machine are alike
	KindPerformance                 // the fastest cores of a hybrid machine
	KindEfficiency                  // slower, frugal cores
	KindLowPower                    // the slowest of three kinds or more
)

// String returns the kind's lower-case name.
func (k CoreKind) String() string {
	switch k {
	case KindUniform:
		return "uniform"
	case KindPerformance:
		return "performance"
	case KindEfficiency:
		return "efficiency"
	case KindLowPower:
		return "low-power"
	default:
		return "unknown"
	}
}

// MarshalText writes the kind's name.
func (k CoreKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// A Package is one processor socket.
type Package struct {
	// OS is the package's number in sysfs, or -1 where it has none. It may be
	// repeated.
	OS int `json:"os"`
	// CPUs are the OS numbers of its usable CPUs, rising. It is empty for a
	// package that only lends its memory.
	CPUs []int `json:"cpus"`
}

// A Node is one NUMA node: memory, with or without CPUs.
type Node struct {
	// OS is the node's number, the one that numactl takes. It may be sparse.
	OS int `json:"os"`
	// CPUs are the OS numbers of the usable CPUs that the memory is local to,
	// rising. A node without CPUs of its own (HBM, NVM, CXL) has those that
	// the firmware's tables say are nearest, or none.
	CPUs []int `json:"cpus"`
	// Memory is the node's memory in bytes; 0 where it is unknown.
	Memory int64 `json:"memory_bytes"`
}

// A CacheType is what a cache holds.
type CacheType uint8

// The types of cache.
const (
	CacheUnified CacheType = iota
	CacheData
	CacheInstruction
)

// String returns the type's lower-case name.
func (t CacheType) String() string {
	switch t {
	case CacheData:
		return "data"
	case CacheInstruction:
		return "instruction"
	default:
		return "unified"
	}
}

// MarshalText writes the type's name.
func (t CacheType) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// A Cache is one cache of the machine.
type Cache struct {
	Level int       `json:"level"` // 1 for L1, ...
	Type  CacheType `json:"type"`
	Size  int64     `json:"size_bytes"` // 0 where it is unknown
	Line  int       `json:"line_bytes"` // 0 where it is unknown
	// CPUs are the OS numbers of the usable CPUs behind it, rising. It is nil
	// for a cache known only from the processor's own description (cpuid),
	// which does not say who shares it.
	CPUs []int `json:"cpus"`
}

// A Topology is what is known of one machine. It does not change once it was
// returned, so any number of goroutines may read it; treat its slices as
// read-only.
type Topology struct {
	// CPUs are the CPUs that this process may use, by rising OS number. There
	// is always at least one.
	CPUs []CPU
	// Packages, Nodes and Caches list what the machine has and this process
	// may use part of, including packages and nodes that only lend memory.
	// Packages and Nodes are never empty; Caches is empty where nothing was
	// said about them.
	Packages []Package
	Nodes    []Node
	Caches   []Cache
	// LLCs are the last-level caches that were really described: for each CPU
	// the data or unified cache of the highest level.
	LLCs []Cache
	// Quota is the CPU time per time that the cgroups allow, in CPUs; it may
	// be a fraction, and 0 means that there is none. QuotaFrom is the file
	// that says so.
	Quota     float64
	QuotaFrom string
	// Brand is the processor's name, "" where it is unknown. Features are the
	// instruction set extensions under the names that the kernel (or cpuid)
	// gives them.
	Brand    string
	Features []string
	// Memory is the machine's memory in bytes, 0 where it is unknown.
	Memory int64
	// Limits says which CPUs the machine has beside the usable ones, and why
	// they are not usable.
	Limits Limits

	index map[int]int // OS number -> index in CPUs
}

// Limits says what keeps CPUs of a machine from this process. The lists are of
// OS numbers, rising, and do not overlap.
type Limits struct {
	// Total is how many CPUs the machine shows, usable or not.
	Total int `json:"total"`
	// Offline CPUs are switched off, or the kernel does not describe them.
	Offline []int `json:"offline"`
	// Cpuset are those that the cgroup's cpuset withholds.
	Cpuset []int `json:"cpuset"`
	// Affinity are those that the affinity mask withholds (taskset, or a
	// cpuset that cannot be seen from here).
	Affinity []int `json:"affinity"`
	// CpusetFrom is the file that the cpuset was read from, if any.
	CpusetFrom string `json:"cpuset_from,omitempty"`
}

// Distance is the nearest level that two CPUs share: LevelSelf for one and the
// same, at most LevelHost. Both must come from t.
func (t *Topology) Distance(a, b CPU) Level { return a.Distance(b) }

// DistanceOS is Distance by OS numbers. A CPU that is not in t.CPUs is
// somewhere on this machine: LevelHost from every other and LevelSelf from
// itself.
func (t *Topology) DistanceOS(a, b int) Level {
	if a == b {
		return LevelSelf
	}
	ca, oka := t.CPU(a)
	cb, okb := t.CPU(b)
	if !oka || !okb {
		return LevelHost
	}
	return ca.Distance(cb)
}

// CPU returns the usable CPU with that OS number.
func (t *Topology) CPU(os int) (CPU, bool) {
	if i, ok := t.index[os]; ok {
		return t.CPUs[i], true
	}
	if t.index == nil { // a Topology made by hand
		for _, c := range t.CPUs {
			if c.OS == os {
				return c, true
			}
		}
	}
	return CPU{}, false
}

// Workers is how many workers keep the machine busy without being throttled:
// min(usable CPUs, max(1, ⌈quota⌉)), at least one.
func (t *Topology) Workers() int {
	n := max(1, len(t.CPUs))
	if t.Quota > 0 && t.Quota < float64(n) {
		n = max(1, int(math.Ceil(t.Quota)))
	}
	return n
}

// Cores is how many distinct cores the usable CPUs have.
func (t *Topology) Cores() int { return t.distinct(func(c CPU) int { return c.Core }) }

func (t *Topology) distinct(of func(CPU) int) int {
	seen := make(map[int]bool, len(t.CPUs))
	for _, c := range t.CPUs {
		seen[of(c)] = true
	}
	return len(seen)
}

// A KindSummary counts the CPUs and cores of one kind.
type KindSummary struct {
	Kind  CoreKind `json:"kind"`
	Cores int      `json:"cores"`
	CPUs  []int    `json:"cpus"`
}

// Kinds lists the kinds of core among the usable CPUs, fastest first; one
// entry where all are alike.
func (t *Topology) Kinds() []KindSummary {
	var out []KindSummary
	cores := map[CoreKind]map[int]bool{}
	for _, c := range t.CPUs {
		i := slices.IndexFunc(out, func(s KindSummary) bool { return s.Kind == c.Kind })
		if i < 0 {
			i = len(out)
			out = append(out, KindSummary{Kind: c.Kind})
			cores[c.Kind] = map[int]bool{}
		}
		out[i].CPUs = append(out[i].CPUs, c.OS)
		cores[c.Kind][c.Core] = true
	}
	for i := range out {
		out[i].Cores = len(cores[out[i].Kind])
	}
	slices.SortFunc(out, func(a, b KindSummary) int { return int(a.Kind) - int(b.Kind) })
	return out
}

func (t *Topology) buildIndex() {
	t.index = make(map[int]int, len(t.CPUs))
	for i, c := range t.CPUs {
		t.index[c.OS] = i
	}
}

// A CacheGroup counts caches that are alike.
type CacheGroup struct {
	Level int       `json:"level"`
	Type  CacheType `json:"type"`
	Size  int64     `json:"size_bytes"`
	Line  int       `json:"line_bytes"`
	Count int       `json:"count"`
}

// CacheGroups counts the caches by level, type and size, largest level first.
func (t *Topology) CacheGroups() []CacheGroup {
	var out []CacheGroup
	for _, c := range t.Caches {
		g := CacheGroup{Level: c.Level, Type: c.Type, Size: c.Size, Line: c.Line}
		i := slices.IndexFunc(out, func(o CacheGroup) bool { o.Count = 0; return o == g })
		if i < 0 {
			i = len(out)
			out = append(out, g)
		}
		out[i].Count++
	}
	slices.SortStableFunc(out, func(a, b CacheGroup) int {
		return cmp.Or(b.Level-a.Level, int(a.Type)-int(b.Type), cmp.Compare(b.Size, a.Size))
	})
	return out
}
