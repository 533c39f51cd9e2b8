package topology

import (
	"runtime"

	"github.com/klauspost/cpuid/v2"
)

// Read describes the machine it runs on, as far as this process may use it. It
// always returns a usable Topology: where the machine cannot be read, the CPUs
// that the Go runtime counts, on one package, with the error that says why.
func Read() (*Topology, error) {
	t, err := readLive()
	if t == nil {
		var cpus cpuSet
		cpus.addRange(0, runtime.NumCPU()-1)
		t = flat(cpus, cpuid.CPU.ThreadsPerCore)
	}
	describe(t, &cpuid.CPU)
	return t, err
}

// flat is a machine of which nothing else is known than its CPUs and how many
// of them, numbered in a row, share a core.
func flat(cpus cpuSet, threadsPerCore int) *Topology {
	f := &family{}
	for n := range cpus.members {
		if threadsPerCore > 1 && n%threadsPerCore == 0 {
			core := &region{kind: regionCore, os: n / threadsPerCore}
			core.set.addRange(n, n+threadsPerCore-1)
			f.insert(core)
		}
	}
	m := &machine{census: cpuCensus{all: cpus, described: cpus}, fam: f, usable: cpus}
	t := m.assemble()
	t.Limits.Total = cpus.count()
	return t
}

// describe fills in from the processor's own words what the files left out.
func describe(t *Topology, c *cpuid.CPUInfo) {
	if t.Brand == "" {
		t.Brand = c.BrandName
	}
	if len(t.Features) == 0 {
		t.Features = c.FeatureSet()
	}
	if len(t.Caches) > 0 {
		return
	}
	for _, k := range []struct {
		level, size int
		typ         CacheType
	}{
		{1, c.Cache.L1D, CacheData}, {1, c.Cache.L1I, CacheInstruction},
		{2, c.Cache.L2, CacheUnified}, {3, c.Cache.L3, CacheUnified},
	} {
		if k.size > 0 {
			t.Caches = append(t.Caches, Cache{Level: k.level, Type: k.typ, Size: int64(k.size), Line: max(c.CacheLine, 0)})
		}
	}
}
