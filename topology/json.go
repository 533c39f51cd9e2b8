package topology

import "encoding/json"

// document is the JSON form of a Topology: stable, because scripts read it.
// Fields may be added; none changes its meaning.
type document struct {
	CPUs      []cpuDocument `json:"cpus"`
	Summary   summary       `json:"summary"`
	Brand     string        `json:"brand,omitempty"`
	Memory    int64         `json:"memory_bytes,omitempty"`
	Packages  []Package     `json:"packages"`
	Nodes     []Node        `json:"numa_nodes"`
	LLCs      []Cache       `json:"llcs"`
	Caches    []CacheGroup  `json:"caches"`
	Kinds     []KindSummary `json:"kinds"`
	Quota     *float64      `json:"quota"`
	QuotaFrom string        `json:"quota_from,omitempty"`
	Limits    Limits        `json:"limits"`
	Features  []string      `json:"features"`
}

type cpuDocument struct {
	CPU     int      `json:"cpu"`
	Core    int      `json:"core"`
	LLC     int      `json:"llc"`
	NUMA    int      `json:"numa"`
	Package int      `json:"package"`
	Node    *int     `json:"node"`
	Thread  int      `json:"thread"`
	Kind    CoreKind `json:"kind"`
}

type summary struct {
	CPUs     int `json:"cpus"`
	Cores    int `json:"cores"`
	LLCs     int `json:"llcs"`
	Nodes    int `json:"numa_nodes"`
	Packages int `json:"packages"`
	Workers  int `json:"workers"`
}

// MarshalJSON writes the machine with an object per usable CPU under "cpus":
// its OS number "cpu", and "core", "llc", "numa" and "package", each equal for
// two CPUs exactly when they share it. "quota" is null where there is none.
func (t *Topology) MarshalJSON() ([]byte, error) {
	d := document{
		CPUs: make([]cpuDocument, len(t.CPUs)),
		Summary: summary{
			CPUs: len(t.CPUs), Cores: t.Cores(), LLCs: len(t.LLCs),
			Nodes: len(t.Nodes), Packages: len(t.Packages), Workers: t.Workers(),
		},
		Brand: t.Brand, Memory: t.Memory,
		Packages: t.Packages, Nodes: t.Nodes, LLCs: orEmpty(t.LLCs),
		Caches: orEmpty(t.CacheGroups()), Kinds: t.Kinds(),
		QuotaFrom: t.QuotaFrom, Limits: t.Limits, Features: orEmpty(t.Features),
	}
	for i, c := range t.CPUs {
		d.CPUs[i] = cpuDocument{CPU: c.OS, Core: c.Core, LLC: c.LLC, NUMA: c.NUMA, Package: c.Package, Thread: c.Thread, Kind: c.Kind}
		if c.Node >= 0 {
			d.CPUs[i].Node = &t.CPUs[i].Node
		}
	}
	for _, list := range []*[]int{&d.Limits.Offline, &d.Limits.Cpuset, &d.Limits.Affinity} {
		*list = orEmpty(*list)
	}
	if t.Quota > 0 {
		d.Quota = &t.Quota
	}
	return json.Marshal(d)
}

func orEmpty[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
