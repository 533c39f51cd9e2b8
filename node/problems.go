package node

import (
	"maps"
	"slices"
	"sync"
)

// problems are what is wrong with a node right now, by what it is about, for the control
// API and doctor. It may be used concurrently.
type problems struct {
	mu  sync.Mutex
	now map[string]string
}

// note records a problem in place of an earlier one about the same; it returns whether
// it is another than that.
func (p *problems) note(about, what string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.now == nil {
		p.now = make(map[string]string)
	}
	was := p.now[about]
	p.now[about] = what
	return was != what
}

// solve forgets a problem.
func (p *problems) solve(about string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.now, about)
}

// about is the problem of that kind; "" is none.
func (p *problems) about(about string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now[about]
}

// list returns all, as "about: what", in order; never nil.
func (p *problems) list() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := []string{}
	for _, about := range slices.Sorted(maps.Keys(p.now)) {
		all = append(all, about+": "+p.now[about])
	}
	return all
}
