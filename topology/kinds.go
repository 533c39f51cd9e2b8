package topology

import (
	"cmp"
	"maps"
	"slices"
)

// alikePercent is how much slower than the fastest core one may be and still
// be of its kind: favoured cores of one kind turbo a few percent higher.
const alikePercent = 85

// coreKinds tells the kinds of cores apart, by the first of these that shows
// a difference: the PMU that Intel's hybrid kernels give each kind, ARM's
// model register, ARM's capacities, base frequencies, greatest frequencies.
func (t tree) coreKinds(cpus cpuSet) map[int]CoreKind {
	if kinds := t.kindsByPMU(cpus); kinds != nil {
		return kinds
	}
	if kinds := t.kindsByModel(cpus); kinds != nil {
		return kinds
	}
	for _, file := range []string{"cpu_capacity", "cpufreq/base_frequency", "cpufreq/cpuinfo_max_freq"} {
		speeds, ok := t.speeds(cpus, file)
		if !ok {
			continue
		}
		if kinds := kindsBySpeed(speeds); kinds != nil {
			return kinds
		}
	}
	return nil
}

func (t tree) kindsByPMU(cpus cpuSet) map[int]CoreKind {
	kinds, seen := map[int]CoreKind{}, map[CoreKind]bool{}
	for _, pmu := range []struct {
		dir  string
		kind CoreKind
	}{{"cpu_core", KindPerformance}, {"cpu_atom", KindEfficiency}, {"cpu_lowpower", KindLowPower}} {
		set, _ := t.list("sys/devices", pmu.dir, "cpus")
		for cpu := range set.and(cpus).members {
			kinds[cpu] = pmu.kind
			seen[pmu.kind] = true
		}
	}
	if len(seen) < 2 || len(kinds) < cpus.count() {
		return nil
	}
	return kinds
}

// kindsByModel groups the cores by ARM's MIDR register and ranks the groups by
// the capacity of their slowest core, else by frequency.
func (t tree) kindsByModel(cpus cpuSet) map[int]CoreKind {
	models := map[int]string{}
	for cpu := range cpus.members {
		model, ok := t.small(cpuPath(cpu), "regs/identification/midr_el1")
		if !ok {
			return nil
		}
		models[cpu] = model
	}
	speeds, ok := t.speeds(cpus, "cpu_capacity")
	if !ok {
		if speeds, ok = t.speeds(cpus, "cpufreq/cpuinfo_max_freq"); !ok {
			return nil
		}
	}
	slowest := map[string]int64{}
	for cpu, m := range models {
		if s, seen := slowest[m]; !seen || speeds[cpu] < s {
			slowest[m] = speeds[cpu]
		}
	}
	for cpu, m := range models {
		speeds[cpu] = slowest[m]
	}
	return kindsBySpeed(speeds)
}

// speeds reads one number per CPU; all must have one.
func (t tree) speeds(cpus cpuSet, file string) (map[int]int64, bool) {
	speeds := map[int]int64{}
	for cpu := range cpus.members {
		n, ok := t.number(cpuPath(cpu), file)
		if !ok || n <= 0 || n > 1<<40 {
			return nil, false
		}
		speeds[cpu] = n
	}
	return speeds, len(speeds) > 0
}

// kindsBySpeed cuts the speeds where they fall by more than favoured cores
// differ; nil where they nowhere do. The fastest are performance cores, the
// last of three or more kinds low-power ones.
func kindsBySpeed(speeds map[int]int64) map[int]CoreKind {
	cpus := slices.SortedFunc(maps.Keys(speeds), func(a, b int) int {
		return cmp.Or(cmp.Compare(speeds[b], speeds[a]), a-b)
	})
	steps := map[int]int{}
	step, fastest := 0, speeds[cpus[0]]
	for _, cpu := range cpus {
		if speeds[cpu]*100 < fastest*alikePercent {
			step++
			fastest = speeds[cpu]
		}
		steps[cpu] = step
	}
	if step == 0 {
		return nil
	}
	kinds := map[int]CoreKind{}
	for cpu, s := range steps {
		switch {
		case s == 0:
			kinds[cpu] = KindPerformance
		case s == step && step > 1:
			kinds[cpu] = KindLowPower
		default:
			kinds[cpu] = KindEfficiency
		}
	}
	return kinds
}
