package topology

import (
	"slices"
	"strings"
	"testing"
)

// fourCPUs is a machine to put cgroups around.
const fourCPUs = `
sys/devices/system/cpu/online = 0-3
sys/devices/system/cpu/cpu{0-3}/topology/physical_package_id = 0
sys/devices/system/cpu/cpu{0-3}/topology/package_cpus = f
sys/devices/system/cpu/cpu0/topology/core_cpus = 1
sys/devices/system/cpu/cpu1/topology/core_cpus = 2
sys/devices/system/cpu/cpu2/topology/core_cpus = 4
sys/devices/system/cpu/cpu3/topology/core_cpus = 8
`

const v2Mount = "proc/self/mountinfo = 30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"

func TestCgroups(t *testing.T) {
	for _, c := range []struct {
		name, tree string
		cpus       string
		quota      float64
		workers    int
	}{
		{"none", "", "0-3", 0, 4},
		{"v2, no limit", v2Mount + "proc/self/cgroup = 0::/a\nsys/fs/cgroup/a/cpu.max = max 100000\n", "0-3", 0, 4},
		{"v2, two and a half CPUs", v2Mount + "proc/self/cgroup = 0::/a\nsys/fs/cgroup/a/cpu.max = 250000 100000\n", "0-3", 2.5, 3},
		{"v2, a tenth of a CPU", v2Mount + "proc/self/cgroup = 0::/a\nsys/fs/cgroup/a/cpu.max = 10000 100000\n", "0-3", 0.1, 1},
		{"v2, more than there is", v2Mount + "proc/self/cgroup = 0::/a\nsys/fs/cgroup/a/cpu.max = 6400000 100000\n", "0-3", 64, 4},
		{"v2, the least of the ancestors", v2Mount + `proc/self/cgroup = 0::/a/b/c
sys/fs/cgroup/a/cpu.max = 150000 50000
sys/fs/cgroup/a/b/cpu.max = 200000 100000
sys/fs/cgroup/a/b/c/cpu.max = max 100000
`, "0-3", 2, 2},
		{"v2, nonsense counts as none", v2Mount + "proc/self/cgroup = 0::/a/b\nsys/fs/cgroup/a/b/cpu.max = lots\nsys/fs/cgroup/a/cpu.max = 300000 100000\n", "0-3", 3, 3},
		{"v2, the path is not below the mount", v2Mount + "proc/self/cgroup = 0::/../../kubepods/pod7\nsys/fs/cgroup/cpu.max = 50000 100000\n", "0-3", 0.5, 1},
		{"v2, the mount shows a part", `proc/self/mountinfo = 30 23 0:26 /kubepods/pod7 /sys/fs/cgroup rw - cgroup2 cgroup2 rw
proc/self/cgroup = 0::/kubepods/pod7/main
sys/fs/cgroup/main/cpu.max = 100000 100000
sys/fs/cgroup/cpu.max = 200000 100000
`, "0-3", 1, 1},
		{"v2, another part than ours", `proc/self/mountinfo = 30 23 0:26 /kubepods/pod7 /sys/fs/cgroup rw - cgroup2 cgroup2 rw
proc/self/cgroup = 0::/kubepods/pod77/main
sys/fs/cgroup/main/cpu.max = 100000 100000
sys/fs/cgroup/cpu.max = 200000 100000
`, "0-3", 2, 2},
		{"v2, no mount table", "proc/self/cgroup = 0::/a\nsys/fs/cgroup/a/cpu.max = 150000 100000\n", "0-3", 1.5, 2},
		{"v1, one CPU and a quarter", `proc/mounts = cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,nosuid,cpu,cpuacct 0 0
proc/self/cgroup = 4:cpu,cpuacct:/a
sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us = 25000
sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us = 20000
`, "0-3", 1.25, 2},
		{"v1, no limit", `proc/mounts = cgroup /sys/fs/cgroup/cpu cgroup rw,cpu 0 0
proc/self/cgroup = 4:cpu:/a
sys/fs/cgroup/cpu/a/cpu.cfs_quota_us = -1
sys/fs/cgroup/cpu/a/cpu.cfs_period_us = 100000
`, "0-3", 0, 4},
		{"both versions", v2Mount + "proc/self/cgroup <<END\n4:cpu:/a\n0::/a\nEND\nsys/fs/cgroup/a/cpu.max = 300000 100000\n", "0-3", 3, 3},
		{"v2 cpuset of the leaf", v2Mount + `proc/self/cgroup = 0::/a/b
sys/fs/cgroup/cpuset.cpus.effective = 0-3
sys/fs/cgroup/a/cpuset.cpus.effective = 1-3
sys/fs/cgroup/a/b/cpuset.cpus.effective = 1,3
`, "1,3", 0, 2},
		{"v2 cpuset bound by the next above", v2Mount + `proc/self/cgroup = 0::/a/b
sys/fs/cgroup/cpuset.cpus.effective = 0-3
sys/fs/cgroup/a/cpuset.cpus.effective = 1-2
`, "1-2", 0, 2},
		{"v2 mounted elsewhere", `proc/mounts = none /cgroup/unified cgroup2 rw 0 0
proc/self/cpuset = /job
cgroup/unified/cgroup.controllers = cpu cpuset
cgroup/unified/job/cpuset.cpus.effective = 2
`, "2", 0, 1},
		{"v2 without the cpuset controller", `proc/mounts = none /cgroup/unified cgroup2 rw 0 0
proc/self/cpuset = /job
cgroup/unified/cgroup.controllers = cpu
cgroup/unified/job/cpuset.cpus.effective = 2
`, "0-3", 0, 4},
		{"v1 cpuset", `proc/self/cpuset = /job
sys/fs/cgroup/cpuset/cpuset.cpus = 0-3
sys/fs/cgroup/cpuset/job/cpuset.cpus = 0,2
`, "0,2", 0, 2},
		{"v1 cpuset by /proc/self/cgroup", `proc/self/cgroup = 3:cpuset:/job
proc/mounts = cg /cg\040dir cgroup rw,cpuset 0 0
cg dir/job/cpuset.cpus = 3
`, "3", 0, 1},
		{"the cpuset filesystem", `proc/self/cpuset = /job
dev/cpuset/cpus = 0-3
dev/cpuset/job/cpus = 1
`, "1", 0, 1},
		{"v1 without prefix", `proc/self/cpuset = /job
proc/mounts = cpuset /cpusets cgroup rw,cpuset,noprefix 0 0
cpusets/job/cpus = 1-2
`, "1-2", 0, 2},
		{"an empty cpuset is none", v2Mount + "proc/self/cgroup <<END\n0::/a\nEND\nsys/fs/cgroup/cpuset.cpus.effective <<END\n\nEND\n", "0-3", 0, 4},
		{"a cpuset that is nonsense is none", "proc/self/cpuset = /\ndev/cpuset/cpus = all of them\n", "0-3", 0, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			top := mustRead(t, machineOf(t, fourCPUs+c.tree))
			if got := FormatList(osNumbers(top.CPUs)); got != c.cpus {
				t.Errorf("usable %s, want %s (cpuset from %q)", got, c.cpus, top.Limits.CpusetFrom)
			}
			if top.Quota != c.quota || top.Workers() != c.workers {
				t.Errorf("quota %v from %q, %d workers; want %v, %d", top.Quota, top.QuotaFrom, top.Workers(), c.quota, c.workers)
			}
		})
	}
}

func TestCpusetThatGrantsNothingIsAnError(t *testing.T) {
	_, err := ReadFS(machineOf(t, fourCPUs+"proc/self/cpuset = /\ndev/cpuset/cpus = 9\n"))
	if err == nil || !strings.Contains(err.Error(), "cpuset 9") {
		t.Fatalf("%v", err)
	}
}

func TestParseCPUMax(t *testing.T) {
	for in, want := range map[string]float64{
		"max 100000\n": 0, "max": 0, "50000 100000\n": 0.5, "100000": 1, "1 1000000": 1e-6, "33333 100000": 0.33333,
	} {
		if q, err := parseCPUMax(in); err != nil || q != want {
			t.Errorf("parseCPUMax(%q) = %v, %v, want %v", in, q, err, want)
		}
	}
	for _, bad := range []string{"", "x", "0 100000", "1 0", "-1 100000", "1 2 3", "max x", "99999999999999999999 1", "1e3 10"} {
		if q, err := parseCPUMax(bad); err == nil {
			t.Errorf("parseCPUMax(%q) = %v, want an error", bad, q)
		}
	}
}

func TestParseCFSQuota(t *testing.T) {
	if q, err := parseCFSQuota("150000\n", "100000\n"); err != nil || q != 1.5 {
		t.Errorf("%v, %v", q, err)
	}
	if q, err := parseCFSQuota("-1", "100000"); err != nil || q != 0 {
		t.Errorf("%v, %v", q, err)
	}
	for _, bad := range [][2]string{{"", "1"}, {"1", ""}, {"1", "0"}, {"0", "1"}, {"x", "1"}, {"1", "-1"}} {
		if q, err := parseCFSQuota(bad[0], bad[1]); err == nil {
			t.Errorf("parseCFSQuota(%q) = %v, want an error", bad, q)
		}
	}
}

func TestAncestorsStayBelowTheMount(t *testing.T) {
	for _, c := range []struct{ point, root, path, want string }{
		{"sys/fs/cgroup", "/", "/", "sys/fs/cgroup"},
		{"sys/fs/cgroup", "/", "/a/b", "sys/fs/cgroup/a/b sys/fs/cgroup/a sys/fs/cgroup"},
		{"sys/fs/cgroup", "/", "/../../../etc", "sys/fs/cgroup/etc sys/fs/cgroup"},
		{"sys/fs/cgroup", "/", "", "sys/fs/cgroup"},
		{"sys/fs/cgroup", "/a", "/a/b", "sys/fs/cgroup/b sys/fs/cgroup"},
		{"sys/fs/cgroup", "/a", "/ab", "sys/fs/cgroup"},
		{"sys/fs/cgroup", "/..", "/x", "sys/fs/cgroup"},
		{".", "/", "/a", "a ."},
	} {
		got := ancestors(cgroupMount{point: c.point, root: c.root}, c.path)
		if !slices.Equal(got, strings.Fields(c.want)) {
			t.Errorf("ancestors of %q at %q (%q): %v", c.path, c.point, c.root, got)
		}
	}
	if got := ancestors(cgroupMount{point: "p", root: "/"}, strings.Repeat("/d", 1000)); len(got) > maxCgroupDepth {
		t.Errorf("%d ancestors", len(got))
	}
}

func FuzzQuota(f *testing.F) {
	f.Add("max 100000", "50000", "100000")
	f.Add("50000 100000", "-1", "0")
	f.Add("1 2 3", "", "x")
	f.Fuzz(func(t *testing.T, max, quota, period string) {
		if q, err := parseCPUMax(max); err == nil && !(q >= 0 && q <= maxBandwidthMicros) {
			t.Fatalf("parseCPUMax(%q) = %v", max, q)
		}
		if q, err := parseCFSQuota(quota, period); err == nil && !(q >= 0 && q <= maxBandwidthMicros) {
			t.Fatalf("parseCFSQuota(%q, %q) = %v", quota, period, q)
		}
	})
}

func FuzzMounts(f *testing.F) {
	f.Add("36 35 98:0 /a /sys/fs/cgroup rw master:1 - cgroup2 cgroup rw\n", "0::/a/b\n4:cpu,cpuacct:/x\n")
	f.Add("cgroup /c\\040g cgroup rw,cpuset,noprefix 0 0\n", "::::\n")
	f.Fuzz(func(t *testing.T, table, cgroup string) {
		member := parseMembership(cgroup)
		for _, m := range append(parseMountInfo(table), parseMounts(table)...) {
			for _, dir := range ancestors(m, member.path(m, "cpu")) {
				if dir != m.point && m.point != "." && !strings.HasPrefix(dir, m.point+"/") {
					t.Fatalf("%q leaves the mount %q", dir, m.point)
				}
			}
		}
	})
}
