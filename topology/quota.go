package topology

import (
	"fmt"
	"path"
	"strings"
)

// quota is the least CPU bandwidth that the process's cgroups and those above
// them allow, in CPUs, and the file that says so; 0 for none.
func (t tree) quota(mounts []cgroupMount, m membership) (float64, string) {
	if len(mounts) == 0 {
		mounts = usualMounts
	}
	least, from := 0.0, ""
	for _, mount := range mounts {
		if mount.version != 2 && !mount.has("cpu") {
			continue
		}
		for _, dir := range ancestors(mount, m.path(mount, "cpu")) {
			if q, file := t.groupQuota(dir, mount.version); q > 0 && (least == 0 || q < least) {
				least, from = q, file
			}
		}
	}
	return least, from
}

// usualMounts are looked at where no mount table can be read.
var usualMounts = []cgroupMount{
	{point: "sys/fs/cgroup", root: "/", version: 2},
	{point: "sys/fs/cgroup/cpu", root: "/", version: 1, controllers: []string{"cpu"}},
	{point: "sys/fs/cgroup/cpu,cpuacct", root: "/", version: 1, controllers: []string{"cpu"}},
}

func (t tree) groupQuota(dir string, version int) (float64, string) {
	if version == 2 {
		text, ok := t.small(dir, "cpu.max")
		if !ok {
			return 0, ""
		}
		q, err := parseCPUMax(text)
		if err != nil {
			return 0, ""
		}
		return q, path.Join(dir, "cpu.max")
	}
	quota, okQ := t.small(dir, "cpu.cfs_quota_us")
	period, okP := t.small(dir, "cpu.cfs_period_us")
	if !okQ || !okP {
		return 0, ""
	}
	q, err := parseCFSQuota(quota, period)
	if err != nil {
		return 0, ""
	}
	return q, path.Join(dir, "cpu.cfs_quota_us")
}

// maxBandwidthMicros bounds quota and period; the kernel allows a period of
// one second, and a quota of that times the CPUs.
const maxBandwidthMicros = 1_000_000 * maxCPUs

// defaultPeriodMicros is the period of a cpu.max that names none.
const defaultPeriodMicros = 100_000

// parseCPUMax reads version 2's "quota period" or "max period", both in
// microseconds, as CPUs; 0 for max.
func parseCPUMax(text string) (float64, error) {
	fields := strings.Fields(text)
	if len(fields) == 0 || len(fields) > 2 {
		return 0, fmt.Errorf("cpu.max %q: want a quota and a period", clip(text))
	}
	period := int64(defaultPeriodMicros)
	if len(fields) == 2 {
		var err error
		if period, err = parseNumber(fields[1]); err != nil {
			return 0, fmt.Errorf("cpu.max %q: period: %w", clip(text), err)
		}
	}
	if fields[0] == "max" {
		return 0, nil
	}
	quota, err := parseNumber(fields[0])
	if err != nil {
		return 0, fmt.Errorf("cpu.max %q: quota: %w", clip(text), err)
	}
	return bandwidth(quota, period)
}

// parseCFSQuota reads version 1's two files, both in microseconds, as CPUs; a
// negative quota is none, 0.
func parseCFSQuota(quota, period string) (float64, error) {
	if strings.HasPrefix(strings.TrimSpace(quota), "-") {
		return 0, nil
	}
	q, err := parseNumber(quota)
	if err != nil {
		return 0, fmt.Errorf("cpu.cfs_quota_us: %w", err)
	}
	p, err := parseNumber(period)
	if err != nil {
		return 0, fmt.Errorf("cpu.cfs_period_us: %w", err)
	}
	return bandwidth(q, p)
}

func bandwidth(quota, period int64) (float64, error) {
	if quota <= 0 || quota > maxBandwidthMicros || period <= 0 || period > maxBandwidthMicros {
		return 0, fmt.Errorf("quota %d in a period of %d: out of range", quota, period)
	}
	return float64(quota) / float64(period), nil
}
