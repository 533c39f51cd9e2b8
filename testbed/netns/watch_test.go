//go:build linux

package netns

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/filchsched/filch/node/control"
)

// watchers follow what every node sees. Safe for concurrent use.
type watchers struct {
	mu      sync.Mutex
	sees    map[string]map[string]control.Member // by observer and subject, both names
	bad     []string                             // transitions to suspect or failed that nobody allowed
	suspect int                                  // how many of these were to suspect
	excused func(observer, subject string) bool  // whose failure is meant to be; nil: nobody's
	changed chan struct{}                        // closed and replaced at each change
}

func newWatchers() *watchers {
	return &watchers{sees: make(map[string]map[string]control.Member), changed: make(chan struct{})}
}

// watch follows a node until it ends; then the returned channel is closed.
func (w *watchers) watch(t *testing.T, p *process) chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for e, err := range control.NewClient(p.socket()).Watch(t.Context()) {
			if err != nil {
				break
			}
			w.take(p.name, e)
		}
		w.mu.Lock()
		delete(w.sees, p.name)
		w.wake()
		w.mu.Unlock()
	}()
	return done
}

// wake is called with mu held.
func (w *watchers) wake() {
	close(w.changed)
	w.changed = make(chan struct{})
}

func (w *watchers) take(observer string, e control.Event) {
	if e.Node == nil || e.Node.Name == "" {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	view := w.sees[observer]
	if view == nil {
		view = make(map[string]control.Member)
		w.sees[observer] = view
	}
	was := view[e.Node.Name].State
	if e.Kind == control.EventGone {
		delete(view, e.Node.Name)
	} else {
		view[e.Node.Name] = *e.Node
	}
	if now := e.Node.State; now != was && (now == control.StateFailed || now == control.StateSuspect) && (w.excused == nil || !w.excused(observer, e.Node.Name)) {
		w.bad = append(w.bad, fmt.Sprintf("%s %s: %s sees %s %s", time.Now().Format("15:04:05.0"), e.Kind, observer, e.Node.Name, now))
		if now == control.StateSuspect {
			w.suspect++
		}
	}
	w.wake()
}

// excuse sets whose failure is meant to be from now on.
func (w *watchers) excuse(who func(observer, subject string) bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.excused = who
}

// unexcused returns, and forgets, what nobody allowed, and how many suspicions were among it.
func (w *watchers) unexcused() (failed []string, suspicions int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, b := range w.bad {
		if strings.HasSuffix(b, control.StateFailed) {
			failed = append(failed, b)
		}
	}
	suspicions = w.suspect
	w.bad, w.suspect = nil, 0
	return failed, suspicions
}

// sawAll returns a condition: each of the observers sees each of the subjects as wanted.
func sawAll(observers, subjects []*process, wanted func(control.Member) bool) func(map[string]map[string]control.Member) []string {
	return func(sees map[string]map[string]control.Member) (missing []string) {
		for _, o := range observers {
			for _, s := range subjects {
				if m := sees[o.name][s.name]; s != o && !wanted(m) {
					missing = append(missing, fmt.Sprintf("%s sees %s %q at %v", o.name, s.name, m.State, m.Addrs))
				}
			}
		}
		return missing
	}
}

func inState(state string) func(control.Member) bool {
	return func(m control.Member) bool { return m.State == state && len(m.Addrs) > 0 }
}

// await waits until nothing is missing, and returns how long that took.
func (w *watchers) await(t *testing.T, what string, most time.Duration, missing func(map[string]map[string]control.Member) []string) time.Duration {
	t.Helper()
	begun := time.Now()
	over := time.After(most)
	for {
		w.mu.Lock()
		not := missing(w.sees)
		changed := w.changed
		w.mu.Unlock()
		if len(not) == 0 {
			return time.Since(begun)
		}
		select {
		case <-changed:
		case <-over:
			t.Fatalf("%s did not come about in %v; %d are missing:\n%s\nobservers: %q", what, most, len(not),
				strings.Join(not[:min(len(not), 30)], "\n"), slices.Sorted(maps.Keys(w.sees)))
		}
	}
}
