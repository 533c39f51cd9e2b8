package proc

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
)

// groupParents are the cgroups in which filch made others for commands. The
// supervisor removes those at the end, because a filch that was killed cannot.
type groupParents struct {
	mu   sync.Mutex
	dirs map[string]bool
}

// remember takes note of where the groups of q are.
func (g *groupParents) remember(q *request, fds []int) {
	for i := range q.entering {
		path, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fds[passedFixed+i]))
		if err != nil || !q.unified && i%2 == 1 {
			continue // the way out of the group before
		}
		if !q.unified {
			path = filepath.Dir(path) // of its list of tasks
		}
		g.mu.Lock()
		if g.dirs == nil {
			g.dirs = make(map[string]bool)
		}
		g.dirs[filepath.Dir(path)] = true
		g.mu.Unlock()
	}
}

// remove removes what is left of the groups of the filch with that number.
func (g *groupParents) remove(filch int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for dir := range g.dirs {
		groups, _ := filepath.Glob(filepath.Join(dir, fmt.Sprintf("filch-%d-*", filch)))
		for _, path := range groups {
			cgroup{dir: path}.remove()
		}
	}
}
