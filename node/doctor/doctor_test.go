package doctor

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/filchsched/filch/node/control"
)

// TestJudgements: what is made of facts, without the machine.
func TestJudgements(t *testing.T) {
	now := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name string
		f    Finding
		want Status
	}{
		{"clock", judgeClock(clockFacts{now, true, true}), OK},
		{"unknown clock", judgeClock(clockFacts{now: now}), OK},
		{"drifting clock", judgeClock(clockFacts{now, false, true}), Warning},
		{"clock of 1970", judgeClock(clockFacts{time.Unix(60, 0), true, true}), Wrong},
		{"cgroups", judgeCgroups(cgroupFacts{2, []string{"cpu", "memory"}, true}), OK},
		{"no cgroups", judgeCgroups(cgroupFacts{}), Warning},
		{"no memory controller", judgeCgroups(cgroupFacts{2, []string{"cpu"}, true}), Warning},
		{"not delegated", judgeCgroups(cgroupFacts{2, []string{"memory"}, false}), Warning},
		{"quota of a tenth", judgeQuota(8, 8, 0.1, "cpu.max"), Warning},
		{"quota", judgeQuota(8, 8, 2.5, "cpu.max"), OK},
		{"no quota", judgeQuota(8, 8, 0, ""), OK},
		{"files", judgeFiles(65536), OK},
		{"few files", judgeFiles(256), Wrong},
		{"buffers", judgeBuffers("8000000", "8000000"), OK},
		{"small buffers", judgeBuffers("212992", "8000000"), Warning},
		{"unknown buffers", judgeBuffers("", ""), Skipped},
		{"disk", judgeDisk("/", 1<<30), OK},
		{"full disk", judgeDisk("/", 1<<20), Wrong},
		{"multicast", judgeMulticast([]string{"eth0"}, nil), OK},
		{"half multicast", judgeMulticast([]string{"eth0"}, []string{"eth1"}), Warning},
		{"no multicast", judgeMulticast(nil, []string{"eth0"}), Wrong},
		{"no interface", judgeMulticast(nil, nil), Warning},
		{"members", judgePeers([]control.Member{{Self: true, State: "alive"}, {State: "alive"}, {State: "left"}})[0], OK},
		{"failed members", judgePeers([]control.Member{{State: "failed"}, {State: "suspect"}})[0], Warning},
		{"mode", judgeMode("secret", "/d/secret", 0o600), OK},
		{"open mode", judgeMode("secret", "/d/secret", 0o604), Wrong},
	} {
		if c.f.Status != c.want || c.f.Found == "" || c.f.Status == Wrong && c.f.Do == "" {
			t.Errorf("%s: %+v, want %s", c.name, c.f, c.want)
		}
	}
	if joining := judgeNode(control.Node{Problems: []string{"mdns: x"}}); Healthy(joining) || len(joining) != 3 {
		t.Errorf("a node that has not joined: %+v", joining)
	}
}

// TestCgroupsAreRead from a copy of the file systems.
func TestCgroupsAreRead(t *testing.T) {
	write := func(root, name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(root+name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(root+name, []byte(text), fs.FileMode(0o600)); err != nil {
			t.Fatal(err)
		}
	}
	two := t.TempDir() + "/"
	write(two, "sys/fs/cgroup/cgroup.controllers", "cpu memory\n")
	write(two, "proc/self/cgroup", "0::/mine\n")
	write(two, "sys/fs/cgroup/mine/cgroup.procs", "")
	if c := readCgroups(two); c.version != 2 || len(c.controllers) != 2 || !c.writable {
		t.Errorf("version 2: %+v", c)
	}
	one := t.TempDir() + "/"
	write(one, "sys/fs/cgroup/memory/tasks", "")
	if c := readCgroups(one); c.version != 1 {
		t.Errorf("version 1: %+v", c)
	}
	if c := readCgroups(t.TempDir() + "/"); c.version != 0 {
		t.Errorf("none: %+v", c)
	}
}
