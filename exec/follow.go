package exec

import (
	"time"

	"github.com/filchsched/filch/topology"
)

// followInterval is how often an engine that sizes itself looks whether the
// affinity mask or the cgroup quota has changed, while it is busy.
const followInterval = time.Second

// follow resizes the engine to what the machine allows now. It reads a few
// small files, so it is called without the lock.
func (e *Engine) follow() {
	n := topology.WorkersNow()
	if n == 0 || n == e.Workers() {
		return
	}
	e.log.Info("the CPUs that may be used have changed", "workers", n, "before", e.Workers())
	if err := e.Resize(min(n, MaxWorkers)); err != nil {
		e.log.Debug("not resized", "err", err)
	}
}
