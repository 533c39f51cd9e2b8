package topology

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func TestFixtures(t *testing.T) {
	for _, c := range []struct {
		name                                 string
		cpus                                 string
		packages, nodes, llcs, cores, caches int
		workers                              int
		quota                                float64
		kinds                                string
		brand                                string
	}{
		{name: "vm-1cpu", cpus: "0", packages: 1, nodes: 1, llcs: 0, cores: 1, workers: 1, kinds: "1 uniform", brand: "Intel Xeon Processor (Skylake, IBRS)"},
		{name: "vm-2cpu", cpus: "0-1", packages: 1, nodes: 1, llcs: 1, cores: 2, caches: 7, workers: 2, kinds: "2 uniform", brand: "AMD EPYC"},
		{name: "server-2s16c32t", cpus: "0-31", packages: 2, nodes: 2, llcs: 2, cores: 16, caches: 50, workers: 32, kinds: "16 uniform", brand: "Intel(R) Xeon(R) Silver 4215 CPU @ 2.50GHz"},
		{name: "epyc-64c128t-16llc", cpus: "0-127", packages: 1, nodes: 4, llcs: 16, cores: 64, caches: 208, workers: 128, kinds: "64 uniform", brand: "AMD EPYC 7742 64-Core Processor"},
		{name: "laptop-hybrid", cpus: "0-17", packages: 1, nodes: 1, llcs: 2, cores: 14, caches: 36, workers: 18, kinds: "4 performance, 8 efficiency, 2 low-power", brand: "Intel(R) Core(TM) Ultra 7 155U"},
		{name: "raspberry-pi-4", cpus: "0-3", packages: 1, nodes: 1, llcs: 1, cores: 4, caches: 9, workers: 4, kinds: "4 uniform", brand: "ARM Cortex-A72"},
		{name: "offline-3of8", cpus: "0-1,4-6", packages: 1, nodes: 1, llcs: 1, cores: 3, caches: 7, workers: 5, kinds: "3 uniform", brand: "Intel(R) Core(TM) i7-6700 CPU @ 3.40GHz"},
		{name: "container-v1", cpus: "2-3,10-11", packages: 1, nodes: 1, llcs: 1, cores: 2, caches: 5, workers: 1, quota: 0.5, kinds: "2 uniform", brand: "AMD Ryzen 7 3700X 8-Core Processor"},
		{name: "container-v2", cpus: "2-3,10-11", packages: 1, nodes: 1, llcs: 1, cores: 2, caches: 5, workers: 1, quota: 0.5, kinds: "2 uniform", brand: "AMD Ryzen 7 3700X 8-Core Processor"},
	} {
		t.Run(c.name, func(t *testing.T) {
			top := mustRead(t, loadMachine(t, c.name))
			if got := FormatList(osNumbers(top.CPUs)); got != c.cpus {
				t.Errorf("usable CPUs %s, want %s", got, c.cpus)
			}
			got := []int{len(top.Packages), len(top.Nodes), len(top.LLCs), top.Cores(), len(top.Caches), top.Workers()}
			want := []int{c.packages, c.nodes, c.llcs, c.cores, c.caches, c.workers}
			if !slices.Equal(got, want) {
				t.Errorf("packages, nodes, LLCs, cores, caches, workers = %v, want %v", got, want)
			}
			if top.Quota != c.quota {
				t.Errorf("quota %v (from %s), want %v", top.Quota, top.QuotaFrom, c.quota)
			}
			var kinds []string
			for _, k := range top.Kinds() {
				kinds = append(kinds, fmt.Sprintf("%d %v", k.Cores, k.Kind))
			}
			if got := strings.Join(kinds, ", "); got != c.kinds {
				t.Errorf("kinds %q, want %q", got, c.kinds)
			}
			if top.Brand != c.brand {
				t.Errorf("brand %q, want %q", top.Brand, c.brand)
			}
		})
	}
}

func TestDistancesOfAServer(t *testing.T) {
	top := mustRead(t, loadMachine(t, "server-2s16c32t"))
	for _, c := range []struct {
		a, b int
		want Level
	}{
		{3, 3, LevelSelf}, {3, 19, LevelCore}, {3, 5, LevelLLC}, {3, 4, LevelHost}, {0, 31, LevelHost},
		{3, 99, LevelHost}, {99, 98, LevelHost}, {99, 99, LevelSelf},
	} {
		if got := top.DistanceOS(c.a, c.b); got != c.want {
			t.Errorf("distance of CPU %d and %d: %v, want %v", c.a, c.b, got, c.want)
		}
	}
}

func TestDistancesWithManyLastLevelCaches(t *testing.T) {
	top := mustRead(t, loadMachine(t, "epyc-64c128t-16llc"))
	for other, want := range map[int]Level{64: LevelCore, 3: LevelLLC, 67: LevelLLC, 4: LevelNUMA, 79: LevelNUMA, 16: LevelSocket, 127: LevelSocket} {
		if got := top.DistanceOS(0, other); got != want {
			t.Errorf("distance of CPU 0 and %d: %v, want %v", other, got, want)
		}
	}
}

func TestLowPowerCoresOutsideTheL3(t *testing.T) {
	top := mustRead(t, loadMachine(t, "laptop-hybrid"))
	if got := top.DistanceOS(0, 15); got != LevelLLC {
		t.Errorf("fast and frugal cores: %v, want llc", got)
	}
	if got := top.DistanceOS(16, 17); got != LevelLLC {
		t.Errorf("the low-power cores share an L2 that is their last level: %v", got)
	}
	if got := top.DistanceOS(0, 16); got != LevelNUMA {
		t.Errorf("fast and low-power cores: %v, want numa", got)
	}
}

func TestOfflineCPUsAreExplained(t *testing.T) {
	top := mustRead(t, loadMachine(t, "offline-3of8"))
	if got := FormatList(top.Limits.Offline); got != "2-3,7" {
		t.Errorf("offline: %s", got)
	}
	if got, want := top.AffinityText(), "5 of 8 CPUs usable, because 3 are offline (2-3,7)"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestContainerIsExplained(t *testing.T) {
	for name, files := range map[string][2]string{
		"container-v1": {"sys/fs/cgroup/cpuset/cpuset.cpus", "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us"},
		"container-v2": {"sys/fs/cgroup/build/cpuset.cpus.effective", "sys/fs/cgroup/build/cpu.max"},
	} {
		top := mustRead(t, loadMachine(t, name))
		if top.Limits.CpusetFrom != files[0] || top.QuotaFrom != files[1] {
			t.Errorf("%s: cpuset from %s, quota from %s", name, top.Limits.CpusetFrom, top.QuotaFrom)
		}
		if got := FormatList(top.Limits.Cpuset); got != "0-1,4-9,12-15" {
			t.Errorf("%s: cpuset withholds %s", name, got)
		}
		if got := top.QuotaText(); !strings.HasPrefix(got, "0.5 CPUs, says /sys/fs/cgroup/") {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// The affinity mask of the live process decides; the cpuset only explains.
func TestAffinityDecidesOnTheLiveSystem(t *testing.T) {
	m := loadMachine(t, "container-v2")
	top, err := tree{m}.read(setOf([]int{3, 4, 11}))
	if err != nil {
		t.Fatal(err)
	}
	checkInvariants(t, top)
	if got := FormatList(osNumbers(top.CPUs)); got != "3-4,11" {
		t.Errorf("usable %s", got)
	}
	if got := FormatList(top.Limits.Affinity); got != "2,10" {
		t.Errorf("the mask withholds %s beyond the cpuset", got)
	}
	if _, err := (tree{m}).read(setOf([]int{99})); err == nil {
		t.Error("a mask without any described CPU was accepted")
	}
}

func TestMemFSIsAFileSystem(t *testing.T) {
	m := loadMachine(t, "raspberry-pi-4")
	if err := fstest.TestFS(m, "proc/cpuinfo", "sys/devices/system/cpu/cpu3/cache/index2/size"); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"", ".", "/abs", "../up", "proc", "proc/cpuinfo/below"} {
		if m.put(bad, "x") {
			t.Errorf("put(%q) was accepted", bad)
		}
	}
	if _, err := m.Open("nowhere"); err == nil {
		t.Error("opened what is not there")
	}
	if _, err := fs.ReadFile(m, "proc"); err == nil {
		t.Error("read a directory")
	}
}
