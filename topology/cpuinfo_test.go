package topology

import "testing"

func TestBrandOfEveryFormat(t *testing.T) {
	for _, c := range []struct{ text, brand string }{
		{"processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: Intel(R) Xeon(R) CPU\n", "Intel(R) Xeon(R) CPU"},
		{"processor\t: 0\ncpu\t\t: POWER7 (architected), altivec supported\nmachine\t\t: CHRP IBM\n", "POWER7 (architected), altivec supported"},
		{"processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n", "ARM Neoverse-N1"},
		{"processor\t: 0\nCPU implementer\t: 0x99\nCPU part\t: 0x001\n\nHardware\t: BCM2835\n", "BCM2835"},
		{"Processor\t: ARMv7 Processor rev 1 (v7l)\nprocessor\t: 0\n", "ARMv7 Processor rev 1 (v7l)"},
		{"processor\t: 0\nModel Name\t\t: Loongson-3A5000\n", "Loongson-3A5000"},
		{"", ""},
		{"no colon here\n:::\n", ""},
	} {
		if got := parseCPUInfo(c.text).brand; got != c.brand {
			t.Errorf("%q: brand %q, want %q", c.text, got, c.brand)
		}
	}
}

// Without sysfs, /proc/cpuinfo tells the structure where it can.
func TestStructureFromCPUInfo(t *testing.T) {
	m := newMemFS()
	text := ""
	for _, e := range [][3]string{{"0", "0", "0"}, {"1", "0", "1"}, {"2", "1", "0"}, {"3", "1", "0"}} {
		text += "processor : " + e[0] + "\nphysical id : " + e[1] + "\ncore id : " + e[2] + "\n\n"
	}
	m.put("proc/cpuinfo", text)
	top := mustRead(t, m)
	if len(top.CPUs) != 4 || len(top.Packages) != 2 || top.Cores() != 3 {
		t.Fatalf("%d CPUs, %d packages, %d cores", len(top.CPUs), len(top.Packages), top.Cores())
	}
	if top.DistanceOS(2, 3) != LevelCore || top.DistanceOS(0, 1) != LevelLLC || top.DistanceOS(0, 2) != LevelNUMA {
		t.Errorf("distances %v %v %v", top.DistanceOS(2, 3), top.DistanceOS(0, 1), top.DistanceOS(0, 2))
	}
}

func TestMainframeProcessorLines(t *testing.T) {
	m := newMemFS()
	m.put("proc/cpuinfo", "vendor_id       : IBM/S390\n# processors    : 2\nprocessor 0: version = FF,  identification = 0A\nprocessor 1: version = FF\n")
	if top := mustRead(t, m); len(top.CPUs) != 2 || top.CPUs[1].OS != 1 {
		t.Fatalf("%v", top.CPUs)
	}
}

// AMD's compute units: two cores that share an L2 call each other siblings.
func TestComputeUnitsAreTwoCores(t *testing.T) {
	const unit = `
sys/devices/system/cpu/cpu{0-1}/topology/thread_siblings = 3
sys/devices/system/cpu/cpu{0-1}/topology/core_siblings = 3
sys/devices/system/cpu/cpu{0-1}/topology/physical_package_id = 0
sys/devices/system/cpu/cpu0/topology/core_id = 0
`
	const bulldozer = "proc/cpuinfo <<END\nprocessor : 0\nvendor_id : AuthenticAMD\ncpu family : 21\nEND\n"
	for _, c := range []struct {
		name, tree string
		cores      int
	}{
		{"own core numbers", bulldozer + unit + "sys/devices/system/cpu/cpu1/topology/core_id = 1\n", 2},
		{"one core number", bulldozer + unit + "sys/devices/system/cpu/cpu1/topology/core_id = 0\n", 1},
		{"another processor", unit + "sys/devices/system/cpu/cpu1/topology/core_id = 1\n", 1},
	} {
		if got := mustRead(t, machineOf(t, c.tree)).Cores(); got != c.cores {
			t.Errorf("%s: %d cores, want %d", c.name, got, c.cores)
		}
	}
}

func FuzzCPUInfo(f *testing.F) {
	f.Add("processor\t: 0\nphysical id : 0\ncore id : 0\nflags : a b\n")
	f.Add("processor 3: version\nprocessor : 99999999999\nfeatures:\n::::")
	f.Fuzz(func(t *testing.T, text string) {
		info := parseCPUInfo(text)
		var cpus cpuSet
		for _, p := range info.processors {
			cpus.add(p.os)
		}
		for _, r := range info.regionsOf(cpus).regions {
			if !r.set.subsetOf(cpus) {
				t.Fatalf("region %v of processors %v", r.set, cpus)
			}
		}
	})
}
