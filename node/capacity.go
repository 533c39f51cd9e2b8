package node

import (
	"crypto/sha256"
	"math"
	"runtime"
	"runtime/debug"

	"github.com/filchsched/filch/exec/proc"
	"github.com/filchsched/filch/gossip/core"
	"github.com/filchsched/filch/topology"
)

// hostID tells others whether they run on this machine. What software may use as a
// secret does not leave the machine: hashes do, under a label of ours.
func hostID() core.HostID {
	machine, boot := machineAndBoot()
	return core.HostID{Machine: hashed("machine", machine), Boot: hashed("boot", boot)}
}

func hashed(label, value string) (h [core.HostIDLen]byte) {
	if value == "" {
		return h
	}
	sum := sha256.Sum256([]byte("filch 1 host " + label + ":" + value))
	copy(h[:], sum[:])
	return h
}

// announcement is what a node tells of itself, apart from where it listens.
func announcement(c Config, workers int, memory int64) core.Record {
	return core.Record{
		Name:    c.Name,
		Labels:  c.Labels,
		Host:    hostID(),
		Arch:    runtime.GOARCH,
		OS:      runtime.GOOS,
		Cores:   workers,
		Memory:  memory,
		Kinds:   c.Accept,
		Version: version(),
		Speed:   coreSpeed(),
	}
}

// capacity is what this machine has for tasks: workers and bytes of memory. A member of a cluster that was not told
// leaves one of Go's processors to the network: beside busy ones it would starve, and others would take the node for
// dead.
func capacity(c Config) (workers int, memory int64) {
	t, _ := topology.Read() // always something, and less where the machine cannot be read
	if workers = c.Workers; workers == 0 {
		if workers = t.Workers(); c.networked() {
			workers = max(1, min(workers, runtime.GOMAXPROCS(0)-1))
		}
	}
	return min(workers, maxWorkers), usableMemory(t.Memory, proc.MemoryLimit())
}

// usableMemory is the machine's memory, or what the cgroup allows of it, in bytes; 0 is
// unknown. Without a limit the limit is math.MaxInt64.
func usableMemory(machine, limit int64) int64 {
	switch {
	case limit == math.MaxInt64:
		return machine
	case machine == 0:
		return limit
	}
	return min(machine, limit)
}

// version is that of the program, as short as it is told to others.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "unknown"
	}
	return info.Main.Version[:min(len(info.Main.Version), core.MaxWordLen)]
}
