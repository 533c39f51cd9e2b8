package fair

// The heap is written out because container/heap boxes every element and
// calls through an interface, and this one is under the lock that every turn
// takes.

func (g *Group) push(e *entity) {
	e.pos = len(g.heap)
	g.heap = append(g.heap, e)
	g.up(e.pos)
}

func (g *Group) remove(i int) {
	last := len(g.heap) - 1
	e := g.heap[i]
	g.swap(i, last)
	g.heap[last] = nil
	g.heap = g.heap[:last]
	e.pos = -1
	if i < last {
		g.fix(i)
	}
}

// fix restores the order after the v of element i has changed.
func (g *Group) fix(i int) {
	if !g.down(i) {
		g.up(i)
	}
}

func (g *Group) less(i, j int) bool { return g.heap[i].v-g.heap[j].v < 0 }

func (g *Group) swap(i, j int) {
	h := g.heap
	h[i], h[j] = h[j], h[i]
	h[i].pos, h[j].pos = i, j
}

func (g *Group) up(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if !g.less(i, parent) {
			return
		}
		g.swap(i, parent)
		i = parent
	}
}

func (g *Group) down(i int) bool {
	start := i
	for {
		child := 2*i + 1
		if child >= len(g.heap) {
			break
		}
		if r := child + 1; r < len(g.heap) && g.less(r, child) {
			child = r
		}
		if !g.less(child, i) {
			break
		}
		g.swap(i, child)
		i = child
	}
	return i > start
}
