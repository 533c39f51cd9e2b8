package doctor

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/filchsched/filch/topology"
)

// clockFacts are what is known of the clock.
type clockFacts struct {
	now          time.Time
	synchronized bool
	known        bool // whether that is known
}

// noSooner is when this text was written: a clock before it is wrong. Certificates have a
// day of slack, so a machine that boots in 1970 is let in nowhere.
var noSooner = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func checkClock() Finding { return judgeClock(readClock(time.Now())) }

func judgeClock(c clockFacts) Finding {
	at := c.now.UTC().Format(time.RFC3339)
	switch {
	case c.now.Before(noSooner):
		return Finding{"clock", Wrong, "it shows " + at + ": no other node accepts certificates from then", "set the clock, and have it synchronised (timedatectl set-ntp true)"}
	case c.known && !c.synchronized:
		return Finding{"clock", Warning, "it shows " + at + " and is not synchronised; a day of error is tolerated", "timedatectl set-ntp true"}
	case !c.known:
		return Finding{"clock", OK, "it shows " + at + "; whether it is synchronised cannot be told here", ""}
	}
	return Finding{"clock", OK, "it shows " + at + ", synchronised", ""}
}

// cgroupFacts are what is known of control groups.
type cgroupFacts struct {
	version     int // 0: none
	controllers []string
	writable    bool // a group can be made for commands
}

func checkCgroups() Finding { return judgeCgroups(readCgroups("/")) }

// readCgroups looks at the cgroup file systems below a root directory.
func readCgroups(root string) cgroupFacts {
	if list := line(root + "sys/fs/cgroup/cgroup.controllers"); list != "" {
		own := ""
		for l := range strings.Lines(read(root + "proc/self/cgroup")) {
			if path, ok := strings.CutPrefix(strings.TrimSpace(l), "0::"); ok {
				own = path
			}
		}
		return cgroupFacts{2, strings.Fields(list), writable(root + "sys/fs/cgroup" + own)}
	}
	if _, err := os.Stat(root + "sys/fs/cgroup/memory"); err == nil {
		return cgroupFacts{1, []string{"cpu", "memory"}, writable(root + "sys/fs/cgroup/memory")}
	}
	return cgroupFacts{}
}

func read(path string) string {
	text, _ := os.ReadFile(path)
	return string(text)
}

func judgeCgroups(c cgroupFacts) Finding {
	const without = "commands' memory is then measured by looking, not limited by the kernel"
	switch {
	case c.version == 0:
		return Finding{"cgroups", Warning, "there are none that this process can see; " + without, ""}
	case !slices.Contains(c.controllers, "memory"):
		return Finding{"cgroups", Warning, "the memory controller is off, as Raspberry Pi OS has it; " + without, "add cgroup_enable=memory to the kernel's command line"}
	case !c.writable:
		return Finding{"cgroups", Warning, fmt.Sprintf("version %d, and this user may make no group; %s", c.version, without), "start the node as a systemd service with Delegate=yes (docs/filch.service)"}
	}
	return Finding{"cgroups", OK, fmt.Sprintf("version %d with %s", c.version, strings.Join(c.controllers, " ")), ""}
}

func checkQuota() Finding {
	t, err := topology.Read()
	if err != nil && t == nil {
		return Finding{"quota", Skipped, err.Error(), ""}
	}
	return judgeQuota(len(t.CPUs), t.Limits.Total, t.Quota, t.QuotaFrom)
}

// judgeQuota looks at how much of the machine the node may use.
func judgeQuota(usable, total int, quota float64, from string) Finding {
	switch {
	case quota > 0 && quota < 1:
		return Finding{"quota", Warning, fmt.Sprintf("a cgroup allows %.2f CPUs (%s): the node is stopped for most of every tenth of a second, and others may take it for dead", quota, from), "allow at least one CPU"}
	case quota > 0 && quota < float64(usable):
		return Finding{"quota", OK, fmt.Sprintf("a cgroup allows %.2f of %d CPUs (%s)", quota, usable, from), ""}
	}
	return Finding{"quota", OK, fmt.Sprintf("none; %d of %d CPUs are usable", usable, total), ""}
}

// minFiles is the least limit of open files for a node: a connection takes one, and a
// command some more.
const minFiles = 1024

func judgeFiles(limit uint64) Finding {
	if limit < minFiles {
		return Finding{"open files", Wrong, fmt.Sprintf("at most %d per process", limit), "ulimit -n 65536, or LimitNOFILE= in the service's unit"}
	}
	return Finding{"open files", OK, fmt.Sprintf("at most %d per process", limit), ""}
}

// wantBuffer is what QUIC asks the kernel for, in bytes. With less it loses packets when
// much arrives at once.
const wantBuffer = 7 << 20

func checkBuffers() Finding {
	return judgeBuffers(line("/proc/sys/net/core/rmem_max"), line("/proc/sys/net/core/wmem_max"))
}

func judgeBuffers(rmem, wmem string) Finding {
	r, err := strconv.ParseInt(rmem, 10, 64)
	w, err2 := strconv.ParseInt(wmem, 10, 64)
	switch {
	case err != nil || err2 != nil:
		return Finding{"udp buffers", Skipped, "their limits cannot be read here", ""}
	case min(r, w) < wantBuffer:
		return Finding{"udp buffers", Warning, fmt.Sprintf("at most %d KiB to receive and %d KiB to send; large transfers over QUIC are slower than they could be", r>>10, w>>10), fmt.Sprintf("sysctl -w net.core.rmem_max=%d net.core.wmem_max=%[1]d", wantBuffer+(1<<19))}
	}
	return Finding{"udp buffers", OK, fmt.Sprintf("at most %d KiB", min(r, w)>>10), ""}
}
