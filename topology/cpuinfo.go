package topology

import (
	"strings"
)

// maxProcessors bounds the entries of /proc/cpuinfo that are kept.
const maxProcessors = maxCPUs

// A cpuinfo is what is used of /proc/cpuinfo: a format per architecture, of
// which the names are looked for that say the same thing everywhere.
type cpuinfo struct {
	processors []processor
	brand      string
	vendor     string
	family     string
	flags      []string
	// implementer and part are ARM's codes, of the first core.
	implementer, part string
	board             string // what ARM and POWER call the machine
}

// A processor is one entry: its number, and -1 for what it does not say.
type processor struct{ os, pkg, core int }

func (t tree) cpuinfo() cpuinfo {
	text, _ := t.text(maxTextFile, "proc/cpuinfo")
	return parseCPUInfo(text)
}

// parseCPUInfo reads what it can and ignores the rest; it cannot fail.
func parseCPUInfo(text string) cpuinfo {
	var info cpuinfo
	for line := range strings.Lines(text) {
		key, value, ok := strings.Cut(line, ":")
		if !ok {
			continue
		}
		info.field(strings.TrimSpace(key), strings.TrimSpace(value))
	}
	if info.brand == "" {
		info.brand = armName(info.implementer, info.part)
	}
	if info.brand == "" {
		info.brand = info.board
	}
	return info
}

func (info *cpuinfo) field(key, value string) {
	if rest, ok := strings.CutPrefix(key, "processor "); ok && rest != "" {
		// s390 writes "processor 3: version = ..."
		key, value = "processor", rest
	}
	number := func() int {
		if n, ok := leadingNumber(value); ok && n >= 0 && n < 1<<31 {
			return int(n)
		}
		return -1
	}
	switch key {
	case "processor":
		if n := number(); n >= 0 && n < maxCPUs && len(info.processors) < maxProcessors {
			info.processors = append(info.processors, processor{os: n, pkg: -1, core: -1})
		}
	case "physical id":
		info.last(func(p *processor) { p.pkg = number() })
	case "core id":
		info.last(func(p *processor) { p.core = number() })
	case "flags", "Features", "features", "isa":
		if info.flags == nil {
			info.flags = strings.Fields(value)
		}
	default:
		info.name(key, value)
	}
}

func (info *cpuinfo) last(set func(*processor)) {
	if n := len(info.processors); n > 0 {
		set(&info.processors[n-1])
	}
}

// name keeps the first value of the fields that name the processor.
func (info *cpuinfo) name(key, value string) {
	keep := func(field *string) {
		if *field == "" {
			*field = value
		}
	}
	switch key {
	case "model name", "Model Name", "cpu model", "cpu", "Processor", "chip type", "uarch":
		keep(&info.brand)
	case "vendor_id", "vendor":
		keep(&info.vendor)
	case "cpu family", "family":
		keep(&info.family)
	case "CPU implementer":
		keep(&info.implementer)
	case "CPU part":
		keep(&info.part)
	case "Model", "Hardware", "machine":
		keep(&info.board)
	}
}

// hasComputeUnits recognises AMD's families 15h and 16h.
func (info cpuinfo) hasComputeUnits() bool {
	return info.vendor == "AuthenticAMD" && (info.family == "21" || info.family == "22")
}

// isPower reports whether the machine is a POWER one.
func (t tree) isPower(info cpuinfo) bool {
	if strings.HasPrefix(strings.ToUpper(info.brand), "POWER") {
		return true
	}
	text, _ := t.small("proc/hwloc-nofile-info")
	return strings.Contains(text, "Architecture: ppc")
}

// armNames names the cores that are met most: ARM kernels print only codes.
var armNames = map[string]string{
	"0x41/0xb76": "ARM1176", "0x41/0xc07": "ARM Cortex-A7", "0x41/0xc08": "ARM Cortex-A8",
	"0x41/0xc09": "ARM Cortex-A9", "0x41/0xc0f": "ARM Cortex-A15", "0x41/0xd03": "ARM Cortex-A53",
	"0x41/0xd04": "ARM Cortex-A35", "0x41/0xd05": "ARM Cortex-A55", "0x41/0xd07": "ARM Cortex-A57",
	"0x41/0xd08": "ARM Cortex-A72", "0x41/0xd09": "ARM Cortex-A73", "0x41/0xd0a": "ARM Cortex-A75",
	"0x41/0xd0b": "ARM Cortex-A76", "0x41/0xd0c": "ARM Neoverse-N1", "0x41/0xd40": "ARM Neoverse-V1",
	"0x41/0xd49": "ARM Neoverse-N2", "0x41/0xd4f": "ARM Neoverse-V2", "0x48/0xd01": "HiSilicon Kunpeng 920",
	"0x41/0xd44": "ARM Cortex-X1", "0x41/0xd85": "ARM Cortex-X925", "0x41/0xd87": "ARM Cortex-A725",
}

func armName(implementer, part string) string {
	return armNames[strings.ToLower(implementer+"/"+part)]
}

// regionsOf makes packages and cores of what /proc/cpuinfo says, for kernels
// whose sysfs says nothing.
func (info cpuinfo) regionsOf(cpus cpuSet) *family {
	type coreKey struct{ pkg, core int }
	packages, cores := map[int]*region{}, map[coreKey]*region{}
	var order []*region
	for _, p := range info.processors {
		if !cpus.has(p.os) || p.pkg < 0 {
			continue
		}
		if packages[p.pkg] == nil {
			packages[p.pkg] = &region{kind: regionPackage, os: p.pkg}
			order = append(order, packages[p.pkg])
		}
		packages[p.pkg].set.add(p.os)
		key := coreKey{p.pkg, p.core}
		if p.core >= 0 && cores[key] == nil {
			cores[key] = &region{kind: regionCore, os: p.core}
			order = append(order, cores[key])
		}
		if p.core >= 0 {
			cores[key].set.add(p.os)
		}
	}
	f := &family{}
	for _, r := range order {
		f.insert(r)
	}
	return f
}
