//go:build !linux

package proc

// limits are not enforced on this system.
type limits struct{}

func (*limits) close() {}

// A limited would be a command whose memory is watched.
type limited struct{}

func (*Runner) prepareLimits(*Command, *launch) (*limited, error) { return nil, nil }

func (*limited) watch(process)         {}
func (*limited) rest()                 {}
func (*limited) report(*Result)        {}
func (*limited) drop(*Runner, *launch) {}

// Limits says in words how the grants of commands (Command.Memory, Command.Cores) are
// enforced on this machine, and why not better.
func (r *Runner) Limits() string {
	return "memory and cores: told to commands, not enforced (there is no way on this system)"
}
