package park

// A Lot is where workers sleep, and the count of those that search. It is a
// plain data structure guarded by the lock that also guards the list of jobs
// with visible work: "nothing is listed" and "I sleep" are one step, and so
// are "this job is listed" and "you wake up". That is why no wake-up is lost.
//
// W identifies a worker.
type Lot[W comparable] struct {
	idle      []W // last in, first out: the warmest wakes first
	searching int
	limit     int
}

// SetLimit sets how many workers may search at once before they sleep.
func (l *Lot[W]) SetLimit(n int) { l.limit = max(1, n) }

// Idle returns the number of sleeping workers.
func (l *Lot[W]) Idle() int { return len(l.idle) }

// Searching returns the number of searching workers.
func (l *Lot[W]) Searching() int { return l.searching }

// Wake is called after work was listed. It picks a sleeper to wake unless
// somebody searches already, and counts it as a searcher from now on: whoever
// lists work next need not wake another one for the same news.
func (l *Lot[W]) Wake() (w W, ok bool) {
	if l.searching > 0 {
		return w, false
	}
	if w, ok = l.Pop(); ok {
		l.searching++
	}
	return w, ok
}

// Pop takes out the worker that slept last, if any, for another reason than
// to search.
func (l *Lot[W]) Pop() (w W, ok bool) {
	if len(l.idle) == 0 {
		return w, false
	}
	last := len(l.idle) - 1
	w = l.idle[last]
	var none W
	l.idle[last] = none
	l.idle = l.idle[:last]
	return w, true
}

// BeginSearch counts the caller as a searcher unless there are enough.
func (l *Lot[W]) BeginSearch() bool {
	if l.searching >= l.limit {
		return false
	}
	l.searching++
	return true
}

// EndSearch is called by a searcher that found work or gives up.
func (l *Lot[W]) EndSearch() { l.searching-- }

// Sleep adds w, which is not searching any more and found nothing listed.
func (l *Lot[W]) Sleep(w W) { l.idle = append(l.idle, w) }
