package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/klauspost/cpuid/v2"
)

// A machine is where figures come from, as far as it helps to judge them.
type machine struct {
	CPU           string `json:"cpu"`
	PhysicalCores int    `json:"physical_cores"` // 0 if unknown
	UsableCPUs    int    `json:"usable_cpus"`
	GOMAXPROCS    int    `json:"gomaxprocs"`
	OS            string `json:"os"`
	Kernel        string `json:"kernel,omitempty"`
	Go            string `json:"go"`
	GOGC          string `json:"gogc"`
	LoadBefore    string `json:"load_before,omitempty"` // 1, 5 and 15 minutes
}

func readMachine(procs int) machine {
	return machine{
		CPU:           cpuid.CPU.BrandName,
		PhysicalCores: cpuid.CPU.PhysicalCores,
		UsableCPUs:    runtime.NumCPU(),
		GOMAXPROCS:    procs,
		OS:            runtime.GOOS + "/" + runtime.GOARCH,
		Kernel:        firstFields("/proc/sys/kernel/osrelease", 1),
		Go:            runtime.Version(),
		GOGC:          orDefault(os.Getenv("GOGC"), "100"),
		LoadBefore:    firstFields("/proc/loadavg", 3),
	}
}

// firstFields returns the first n words of a file, or nothing if there is no such file.
func firstFields(path string, n int) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	words := strings.Fields(string(text))
	return strings.Join(words[:min(n, len(words))], " ")
}

func orDefault(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}

// stolenCPU returns the time, in clock ticks of all CPUs together, that the
// hypervisor gave to others, and the time in all; zeros where that is unknown.
func stolenCPU() (stolen, all uint64) {
	// user nice system idle iowait irq softirq steal; what follows is in user
	words := strings.Fields(firstFields("/proc/stat", 9))
	if len(words) != 9 || words[0] != "cpu" {
		return 0, 0
	}
	for i, w := range words[1:] {
		ticks, err := strconv.ParseUint(w, 10, 64)
		if err != nil {
			return 0, 0
		}
		all += ticks
		if i == 7 {
			stolen = ticks
		}
	}
	return stolen, all
}

// versions lists the modules that were measured, by what the binary was built
// with.
func versions() map[string]string {
	of := map[string]string{}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return of
	}
	for _, m := range info.Deps {
		switch {
		case m.Path == "github.com/panjf2000/ants/v2", m.Path == "github.com/alitto/pond/v2":
			of[m.Path] = m.Version
		case m.Path == "github.com/filchsched/filch":
			of[m.Path] = "this tree"
		}
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			of["github.com/filchsched/filch"] = s.Value
		}
	}
	return of
}
