package topology

import (
	"strings"
	"testing"
)

// Damage that real trees show. fourCPUs is one package of four cores.
func TestDamagedTrees(t *testing.T) {
	const pairs = `
sys/devices/system/cpu/cpu{0-3}/cache/index2/level = 2
sys/devices/system/cpu/cpu{0-3}/cache/index2/type = Unified
sys/devices/system/cpu/cpu{0-3}/cache/index2/size = 1024K
`
	for _, c := range []struct {
		name, tree  string
		cpus        string
		cores, llcs int
		sameLLC     string // CPUs that share with CPU 0
	}{
		{"sound", pairs + "sys/devices/system/cpu/cpu{0-1}/cache/index2/shared_cpu_map = 3\nsys/devices/system/cpu/cpu{2-3}/cache/index2/shared_cpu_map = c\n", "0-3", 4, 2, "0-1"},
		{"no caches: the package stands in", "", "0-3", 4, 0, "0-3"},
		{"a cache without map is none", pairs + "sys/devices/system/cpu/cpu{0-1}/cache/index2/shared_cpu_map = 3\n", "0-3", 4, 1, "0-1"},
		{"an empty map means the core", pairs + "sys/devices/system/cpu/cpu{0-3}/cache/index2/shared_cpu_map = 0\n", "0-3", 4, 4, "0"},
		{"a level beyond any is none", "sys/devices/system/cpu/cpu{0-3}/cache/index0/level = 77\nsys/devices/system/cpu/cpu{0-3}/cache/index0/shared_cpu_map = f\n", "0-3", 4, 0, "0-3"},
		{"level 0 is none", "sys/devices/system/cpu/cpu{0-3}/cache/index0/level = 0\nsys/devices/system/cpu/cpu{0-3}/cache/index0/shared_cpu_map = f\n", "0-3", 4, 0, "0-3"},
		{"instruction caches are no last level", "sys/devices/system/cpu/cpu{0-3}/cache/index0/level = 3\nsys/devices/system/cpu/cpu{0-3}/cache/index0/type = Instruction\nsys/devices/system/cpu/cpu{0-3}/cache/index0/shared_cpu_map = f\n", "0-3", 4, 0, "0-3"},
		{"the second of two crossing caches is dropped", pairs + "sys/devices/system/cpu/cpu{0-1}/cache/index2/shared_cpu_map = 3\nsys/devices/system/cpu/cpu1/cache/index3/level = 3\nsys/devices/system/cpu/cpu1/cache/index3/shared_cpu_map = 6\n", "0-3", 4, 1, "0-1"},
		{"only the first CPU of a cache is heard", pairs + "sys/devices/system/cpu/cpu0/cache/index2/shared_cpu_map = 3\nsys/devices/system/cpu/cpu1/cache/index2/shared_cpu_map = 7\n", "0-3", 4, 1, "0-1"},
		{"no caches: the smaller node stands in", "sys/devices/system/node/node0/cpumap = 3\nsys/devices/system/node/node1/cpumap = c\n", "0-3", 4, 0, "0-1"},
		{"online contradicts the directories", "sys/devices/system/cpu/online = 0-1,7\n", "0-1", 2, 0, "0-1"},
		{"online is empty: each CPU's own file counts", "sys/devices/system/cpu/online <<END\n\nEND\nsys/devices/system/cpu/cpu2/online = 0\nsys/devices/system/cpu/cpu3/online = 1\n", "0-1,3", 3, 0, "0-1,3"},
		{"directories that are no CPUs", "sys/devices/system/cpu/cpuidle/x = 1\nsys/devices/system/cpu/cpu/x = 1\nsys/devices/system/cpu/cpu-1/topology/x = 1\nsys/devices/system/cpu/cpu+9/topology/x = 1\nsys/devices/system/cpu/cpu99999/topology/x = 1\n", "0-3", 4, 0, "0-3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			top := mustRead(t, machineOf(t, fourCPUs+c.tree))
			if got := FormatList(osNumbers(top.CPUs)); got != c.cpus || top.Cores() != c.cores || len(top.LLCs) != c.llcs {
				t.Errorf("CPUs %s, %d cores, %d LLCs; want %s, %d, %d", got, top.Cores(), len(top.LLCs), c.cpus, c.cores, c.llcs)
			}
			var same []int
			for _, o := range top.CPUs {
				if o.LLC == top.CPUs[0].LLC {
					same = append(same, o.OS)
				}
			}
			if got := FormatList(same); got != c.sameLLC {
				t.Errorf("CPU 0 shares its last level with %s, want %s", got, c.sameLLC)
			}
		})
	}
}

func TestCPUsWithoutAnyTopologyDirectory(t *testing.T) {
	top := mustRead(t, machineOf(t, "sys/devices/system/cpu/cpu{0-1}/online = 1\nsys/devices/system/cpu/cpu2/online = 0\nsys/devices/system/cpu/cpu+7/online = 1\n"))
	if got := FormatList(osNumbers(top.CPUs)); got != "0-1" || len(top.Packages) != 1 {
		t.Errorf("usable %s, %d packages", got, len(top.Packages))
	}
	top = mustRead(t, machineOf(t, "sys/devices/system/cpu/present = 0-5\n"))
	if len(top.CPUs) != 6 {
		t.Errorf("%d CPUs of a list of six", len(top.CPUs))
	}
}

// Tables that contradict each other must not make distances that do: mustRead
// checks that they are an ultrametric.
func TestContradictionsBetweenTables(t *testing.T) {
	const cpu, node = "sys/devices/system/cpu/cpu", "sys/devices/system/node/node"
	for name, c := range map[string]struct {
		tree string
		a, b int
		want Level
	}{
		"a node that cuts packages": {
			cpu + "{0-1}/topology/package_cpus = 3\n" + cpu + "{2-3}/topology/package_cpus = c\n" + node + "0/cpumap = 7\n" + node + "1/cpumap = 8\n", 0, 2, LevelHost,
		},
		"a node that cuts caches": {
			fourCPUs + cpu + "{0-3}/cache/index3/level = 3\n" + cpu + "{0-1}/cache/index3/shared_cpu_map = 3\n" + cpu + "{2-3}/cache/index3/shared_cpu_map = c\n" +
				node + "0/cpumap = 1\n" + node + "1/cpumap = 6\n" + node + "2/cpumap = 8\n", 1, 2, LevelSocket,
		},
		"a core around a package": {
			cpu + "{0-2}/topology/core_cpus = 7\n" + cpu + "{0-1}/topology/package_cpus = 3\n" + cpu + "3/topology/core_cpus = 8\n" + node + "0/cpumap = 7\n" + node + "1/cpumap = 8\n", 0, 2, LevelCore,
		},
		"a cache around two nodes is no contradiction": {
			fourCPUs + cpu + "{0-3}/cache/index3/level = 3\n" + cpu + "{0-3}/cache/index3/shared_cpu_map = f\n" + node + "0/cpumap = 3\n" + node + "1/cpumap = c\n", 0, 3, LevelLLC,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := mustRead(t, machineOf(t, c.tree)).DistanceOS(c.a, c.b); got != c.want {
				t.Errorf("distance of CPU %d and %d: %v, want %v", c.a, c.b, got, c.want)
			}
		})
	}
}

// A mask of one CPU is what kernels say that know nothing of dies.
func TestDieOfOneCPUIsNone(t *testing.T) {
	top := mustRead(t, machineOf(t, fourCPUs+"sys/devices/system/cpu/cpu0/topology/die_cpus = 2\n"))
	if len(top.Packages) != 1 || top.Packages[0].OS != 0 {
		t.Errorf("the package was not read: %v", top.Packages)
	}
}

// Two CPUs that no package lists are in the one that nobody described.
func TestPackageThatContradictsIsDropped(t *testing.T) {
	top := mustRead(t, machineOf(t, `
sys/devices/system/cpu/cpu{0-1}/topology/package_cpus = 7
sys/devices/system/cpu/cpu{2-4}/topology/package_cpus = 1c
sys/devices/system/cpu/cpu{0-4}/topology/physical_package_id = 0
`))
	if len(top.Packages) != 1 || top.CPUs[3].Package != top.CPUs[4].Package || top.CPUs[2].Package == top.CPUs[3].Package {
		t.Errorf("packages %v, CPUs %v", top.Packages, top.CPUs)
	}
}

func TestRepeatedAndNegativeNumbersAreNoIdentity(t *testing.T) {
	top := mustRead(t, machineOf(t, `
sys/devices/system/cpu/cpu{0-3}/topology/core_id = 0
sys/devices/system/cpu/cpu{0-3}/topology/physical_package_id = -1
sys/devices/system/cpu/cpu{0-1}/topology/package_cpus = 3
sys/devices/system/cpu/cpu{2-3}/topology/package_cpus = c
sys/devices/system/cpu/cpu0/topology/core_cpus = 1
sys/devices/system/cpu/cpu1/topology/core_cpus = 2
sys/devices/system/cpu/cpu{2-3}/topology/core_cpus = c
`))
	if top.Cores() != 3 || len(top.Packages) != 2 || top.Packages[0].OS != -1 {
		t.Errorf("%d cores, packages %v", top.Cores(), top.Packages)
	}
}

func TestNUMANodes(t *testing.T) {
	const node = "sys/devices/system/node/node"
	for _, c := range []struct {
		name, tree string
		nodes      string // number: near CPUs
		sameNode   string // CPUs that share with CPU 0
	}{
		{"none: the machine is one", "proc/meminfo = MemTotal: 1000 kB\n", "0:0-3", "0-3"},
		{"sparse numbers", node + "3/cpumap = 3\n" + node + "40/cpumap = c\n", "3:0-1 40:2-3", "0-1"},
		{"the list of those online counts", "sys/devices/system/node/online = 1\n" + node + "0/cpumap = 0\n" + node + "1/cpumap = f\n", "1:0-3", "0-3"},
		{"memory alone, nobody near", node + "0/cpumap = f\n" + node + "1/cpumap = 0\n", "0:0-3 1:", "0-3"},
		{"every node lists every CPU", node + "0/cpumap = f\n" + node + "1/cpumap = f\n" + node + "2/cpumap = f\n", "0:0-3", "0-3"},
		{"unless nodes are emulated", "proc/cmdline = ro numa=fake=3U quiet\n" + node + "0/cpumap = f\n" + node + "1/cpumap = f\n", "0:0-3 1:0-3", "0-3"},
		{"crossing nodes", node + "0/cpumap = 7\n" + node + "1/cpumap = c\n", "0:0-2", "0-2"},
		{"a node in a node", node + "0/cpumap = 3\n" + node + "1/cpumap = f\n", "0:0-1 1:0-3", "0-1"},
		{"initiators say who is near", node + "0/cpumap = 3\n" + node + "1/cpumap = c\n" + node + "2/cpumap = 0\n" + node + "2/access0/initiators/node1/x = 1\n", "0:0-1 1:2-3 2:2-3", "0-1"},
		{"CPUs alone count as initiators", node + "0/cpumap = 3\n" + node + "1/cpumap = c\n" + node + "2/cpumap = 0\n" + node + "2/access0/initiators/node1/x = 1\n" + node + "2/access1/initiators/node0/x = 1\n", "0:0-1 1:2-3 2:0-1", "0-1"},
		{"distances say who is near", node + "0/cpumap = 3\n" + node + "1/cpumap = c\n" + node + "2/cpumap = 0\n" + node + "2/distance = 17 28 10\n", "0:0-1 1:2-3 2:0-1", "0-1"},
		{"equal distances say nothing", node + "0/cpumap = 3\n" + node + "1/cpumap = c\n" + node + "2/cpumap = 0\n" + node + "2/distance = 20 20 10\n", "0:0-1 1:2-3 2:", "0-1"},
		{"short and broken distances", node + "0/cpumap = 3\n" + node + "1/cpumap = c\n" + node + "2/cpumap = 0\n" + node + "2/distance = 17 x 10\n", "0:0-1 1:2-3 2:", "0-1"},
		{"the cpuset withholds memory, not nearness", "proc/self/cpuset = /\ndev/cpuset/cpus = 0-3\ndev/cpuset/mems = 1\n" + node + "0/cpumap = 3\n" + node + "1/cpumap = c\n", "1:2-3", "0-1"},
		{"a cpuset without any node that exists", "proc/self/cpuset = /\ndev/cpuset/cpus = 0-3\ndev/cpuset/mems = 9\n" + node + "0/cpumap = f\n", "0:0-3", "0-3"},
		{"GPU memory on POWER", "proc/cpuinfo = cpu : POWER9\nproc/driver/nvidia/gpus/0004:04:00.0/numa_status = Node: 255\n" + node + "0/cpumap = f\n" + node + "255/cpumap = 0\n", "0:0-3", "0-3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			top := mustRead(t, machineOf(t, fourCPUs+c.tree))
			var nodes []string
			for _, n := range top.Nodes {
				nodes = append(nodes, FormatList([]int{n.OS})+":"+FormatList(n.CPUs))
			}
			if got := strings.Join(nodes, " "); got != c.nodes {
				t.Errorf("nodes %q, want %q", got, c.nodes)
			}
			var same []int
			for _, o := range top.CPUs {
				if o.NUMA == top.CPUs[0].NUMA {
					same = append(same, o.OS)
				}
			}
			if got := FormatList(same); got != c.sameNode {
				t.Errorf("CPU 0 shares its node with %s, want %s", got, c.sameNode)
			}
		})
	}
}

// A package whose CPUs are withheld stays where its memory is granted.
func TestPackageThatOnlyLendsMemory(t *testing.T) {
	top := mustRead(t, machineOf(t, `
sys/devices/system/cpu/cpu{0-1}/topology/package_cpus = 3
sys/devices/system/cpu/cpu{2-3}/topology/package_cpus = c
sys/devices/system/cpu/cpu{4-5}/topology/package_cpus = 30
sys/devices/system/node/node0/cpumap = 3
sys/devices/system/node/node1/cpumap = c
sys/devices/system/node/node2/cpumap = 30
proc/self/cpuset = /
dev/cpuset/cpus = 0-1
dev/cpuset/mems = 0-1
`))
	if len(top.CPUs) != 2 || len(top.Packages) != 2 || len(top.Packages[1].CPUs) != 0 || len(top.Nodes) != 2 {
		t.Errorf("packages %v, nodes %v", top.Packages, top.Nodes)
	}
}

func TestCoreKinds(t *testing.T) {
	each := func(file string, values ...string) string {
		var b strings.Builder
		for i, v := range values {
			b.WriteString("sys/devices/system/cpu/cpu" + FormatList([]int{i}) + "/" + file + " = " + v + "\n")
		}
		return b.String()
	}
	for _, c := range []struct{ name, tree, want string }{
		{"nothing said", "", "uuuu"},
		{"capacities", each("cpu_capacity", "446", "446", "1024", "1024"), "eepp"},
		{"three capacities", each("cpu_capacity", "160", "498", "498", "1024"), "leep"},
		{"favoured cores turbo higher", each("cpufreq/cpuinfo_max_freq", "5200000", "5000000", "4900000", "5200000"), "uuuu"},
		{"base frequencies", each("cpufreq/base_frequency", "1400000", "1400000", "2000000", "2000000"), "eepp"},
		{"one CPU does not say", each("cpu_capacity", "446", "446", "1024"), "uuuu"},
		{"nonsense", each("cpu_capacity", "-5", "0", "x", "99999999999999999999"), "uuuu"},
		{"models rank by their slowest", each("regs/identification/midr_el1", "0xd87", "0xd87", "0xd85", "0xd85") + each("cpu_capacity", "700", "900", "1000", "1024"), "eepp"},
		{"Intel's PMUs", "sys/devices/cpu_core/cpus = 0-1\nsys/devices/cpu_atom/cpus = 2-3\n", "ppee"},
		{"a PMU that leaves CPUs out", "sys/devices/cpu_core/cpus = 0\nsys/devices/cpu_atom/cpus = 2-3\n", "uuuu"},
	} {
		top := mustRead(t, machineOf(t, fourCPUs+c.tree))
		got := ""
		for _, cpu := range top.CPUs {
			got += cpu.Kind.String()[:1]
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	if CoreKind(77).String() != "unknown" {
		t.Error("kind 77 has a name")
	}
}

// However large the numbers, reading stays bounded and quick.
func TestHugeSparseNumbers(t *testing.T) {
	top := mustRead(t, machineOf(t, `
sys/devices/system/cpu/online = 0,16383
sys/devices/system/cpu/cpu{0,16383}/topology/physical_package_id = 2147483647
sys/devices/system/cpu/cpu0/topology/package_cpus = 1
`))
	if len(top.CPUs) != 2 || top.CPUs[1].OS != 16383 {
		t.Errorf("%v", top.CPUs)
	}
}
