package main

import (
	"fmt"

	"github.com/filchsched/filch/exec/proc"
	"github.com/filchsched/filch/exec/task"
)

// limitNotices say how the grant of commands is enforced where a cgroup does not do it, one
// for each flag.
func limitNotices(r *proc.Runner, needs task.Resources) (notices []string) {
	memory, cores := r.NoCgroup(proc.Command{Memory: needs.Memory, Cores: needs.Cores})
	if memory != nil {
		notices = append(notices, fmt.Sprintf("--mem is %s: no cgroup: %v", proc.MemoryWithoutCgroup, memory))
	}
	if cores != nil {
		notices = append(notices, fmt.Sprintf("--cores is %s: no cgroup: %v", proc.CoresWithoutCgroup, cores))
	}
	return notices
}
