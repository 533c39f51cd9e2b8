package exec

// This file is about cores that nobody uses. Workers that have found nothing, and
// have spun for a few microseconds, sleep in the lot; how many do is told to
// whoever has other work for them.

// Idle returns how many workers sleep because the engine has nothing for them.
// Those that still look for work are not counted, nor those that rest for a
// task which needs several cores. It is one atomic load.
func (e *Engine) Idle() int { return int(e.idle.count.Load()) }

// tellIdle is called after the lot has changed, under e.mu: so the last call
// of the hook has the last number.
func (e *Engine) tellIdle() {
	n := e.lot.Idle()
	if int(e.idle.count.Load()) == n {
		return
	}
	e.idle.count.Store(int32(n))
	if e.idle.hook != nil {
		e.idle.hook(n)
	}
}
