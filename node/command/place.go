package command

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/filchsched/filch/exec/proc"
)

// scratchPattern names scratch directories, below the directory for temporary files.
const scratchPattern = "filch-task-"

// Run executes c where the header says, whatever c says of that.
func (h *Header) Run(ctx context.Context, runner *proc.Runner, c proc.Command) proc.Result {
	dir, env, leave, err := h.place()
	if err != nil {
		return unfit(err)
	}
	defer leave()
	c.Dir, c.Env = dir, env
	if h.Umask >= 0 {
		umask := h.Umask
		c.Umask = &umask
	}
	return runner.Run(ctx, c)
}

// place is where a command of the job runs, and its whole environment. leave removes what
// was made for it.
func (h *Header) place() (dir string, env []string, leave func(), err error) {
	if !h.Anywhere {
		return h.Dir, h.Env, func() {}, nil
	}
	if dir, err = os.MkdirTemp("", scratchPattern); err != nil {
		return "", nil, nil, fmt.Errorf("a scratch directory for a command: %w", err)
	}
	return dir, h.declared(dir), func() { os.RemoveAll(dir) }, nil
}

// declared is the environment of a command that runs anywhere: what was declared, and of
// the rest only what a command cannot do without.
func (h *Header) declared(dir string) []string {
	env := []string{"PWD=" + dir}
	for _, kv := range []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + dir} {
		name, _, _ := strings.Cut(kv, "=")
		if !slices.ContainsFunc(h.Env, func(have string) bool { return strings.HasPrefix(have, name+"=") }) {
			env = append(env, kv)
		}
	}
	for _, kv := range h.Env {
		if !strings.HasPrefix(kv, "PWD=") {
			env = append(env, kv)
		}
	}
	return env
}
