//go:build !linux

package proc

import "errors"

// limits are not enforced on this system.
type limits struct{}

func (*limits) close() {}

// A limited would be a command whose memory is watched.
type limited struct{}

func (*Runner) prepareLimits(*Command, *launch) (*limited, error) { return nil, nil }

func (*limited) watch(process)         {}
func (*limited) rest()                 {}
func (*limited) report(*Result)        {}
func (*limited) tooLittle(error) bool  { return false }
func (*limited) drop(*Runner, *launch) {}

// MemoryWithoutCgroup and CoresWithoutCgroup say how a grant is enforced where there is no cgroup.
const (
	MemoryWithoutCgroup = "told to commands, but not enforced"
	CoresWithoutCgroup  = "told to commands, but not enforced"
)

// errNoCgroups says that this is not Linux.
var errNoCgroups = errors.New("there are none on this system")

// NoCgroup says why the memory and the cores that c is granted are not enforced by a
// cgroup. Each is nil if they are, or if c is granted none. It is safe for concurrent use.
func (r *Runner) NoCgroup(c Command) (memory, cores error) {
	if c.Memory > 0 {
		memory = errNoCgroups
	}
	if c.Cores > 0 {
		cores = errNoCgroups
	}
	return memory, cores
}

// Limits says in words how the grants of commands (Command.Memory, Command.Cores) are
// enforced on this machine, and why not better.
func (r *Runner) Limits() string {
	return "memory and cores: told to commands, not enforced (there is no way on this system)"
}
