package topology

import (
	"runtime"
	"slices"
	"testing"

	"github.com/klauspost/cpuid/v2"
)

func TestReadThisMachine(t *testing.T) {
	top, err := Read()
	if top == nil {
		t.Fatal("Read returned nothing")
	}
	if err != nil {
		t.Logf("read only in part: %v", err)
	}
	checkInvariants(t, top)
	if len(top.CPUs) != runtime.NumCPU() {
		t.Errorf("%d usable CPUs, the runtime counts %d", len(top.CPUs), runtime.NumCPU())
	}
}

func TestFlatMachine(t *testing.T) {
	var cpus cpuSet
	cpus.addRange(2, 7)
	top := flat(cpus, 2)
	checkInvariants(t, top)
	if len(top.CPUs) != 6 || top.Cores() != 3 || len(top.Packages) != 1 || top.DistanceOS(2, 3) != LevelCore || top.DistanceOS(3, 4) != LevelLLC {
		t.Errorf("%+v", top.CPUs)
	}
	if got := flat(setOf([]int{0, 1, 2}), 0).Cores(); got != 3 {
		t.Errorf("%d cores of three CPUs", got)
	}
}

// The processor's own words fill gaps and overrule nothing.
func TestDescribeFillsGapsOnly(t *testing.T) {
	info := cpuid.CPUInfo{BrandName: "From the processor", CacheLine: 64}
	info.Cache.L1D, info.Cache.L1I, info.Cache.L2, info.Cache.L3 = 32<<10, -1, 1<<20, -1
	top := mustRead(t, loadMachine(t, "vm-1cpu"))
	brand, features := top.Brand, slices.Clone(top.Features)
	describe(top, &info)
	if top.Brand != brand || !slices.Equal(top.Features, features) {
		t.Errorf("overruled: %q %v", top.Brand, top.Features)
	}
	if len(top.Caches) != 2 || top.Caches[1].Size != 1<<20 || top.Caches[1].CPUs != nil || len(top.LLCs) != 0 {
		t.Errorf("caches %+v", top.Caches)
	}
	full := mustRead(t, loadMachine(t, "raspberry-pi-4"))
	n := len(full.Caches)
	if describe(full, &info); len(full.Caches) != n {
		t.Errorf("%d caches were added to %d", len(full.Caches)-n, n)
	}
	bare := flat(setOf([]int{0}), 1)
	describe(bare, &info)
	if bare.Brand != "From the processor" {
		t.Errorf("brand %q", bare.Brand)
	}
}
