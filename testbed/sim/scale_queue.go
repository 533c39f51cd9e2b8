package sim

import "time"

// What can happen in the large simulation. An occasion is a number and two
// operands instead of a closure: ten thousand nodes make hundreds of millions.
type occasionKind uint8

const (
	onArrival occasionKind = iota // of letter what at a node
	onWake                        // a node's loop is free again
	onTick                        // a node's alarm
	onEnd                         // of run what at a node
	onGossip                      // a node's turn to tell news
	onNews                        // datagram what reaches a node
	onSubmit                      // errand what
)

type occasion struct {
	at   time.Duration
	seq  uint32
	kind occasionKind
	node int32
	what int32
}

func (a *occasion) before(b *occasion) bool {
	return a.at < b.at || a.at == b.at && int32(a.seq-b.seq) < 0
}

// calendar is a heap of four children to a node: half as deep as one of two.
type calendar struct {
	list []occasion
	seq  uint32
}

func (c *calendar) add(o occasion) {
	c.seq++
	o.seq = c.seq
	c.list = append(c.list, o)
	i := len(c.list) - 1
	for i > 0 {
		p := (i - 1) / 4
		if !o.before(&c.list[p]) {
			break
		}
		c.list[i] = c.list[p]
		i = p
	}
	c.list[i] = o
}

func (c *calendar) pop() occasion {
	top := c.list[0]
	n := len(c.list) - 1
	last := c.list[n]
	c.list = c.list[:n]
	if n == 0 {
		return top
	}
	i := 0
	for {
		first := 4*i + 1
		if first >= n {
			break
		}
		least := first
		for k := first + 1; k < min(first+4, n); k++ {
			if c.list[k].before(&c.list[least]) {
				least = k
			}
		}
		if !c.list[least].before(&last) {
			break
		}
		c.list[i] = c.list[least]
		i = least
	}
	c.list[i] = last
	return top
}

// A pool hands out numbers for values, and takes them back.
type pool[V any] struct {
	all  []V
	free []int32
}

func (p *pool[V]) put(v V) int32 {
	if n := len(p.free); n > 0 {
		k := p.free[n-1]
		p.free = p.free[:n-1]
		p.all[k] = v
		return k
	}
	p.all = append(p.all, v)
	return int32(len(p.all) - 1)
}

func (p *pool[V]) take(k int32) V {
	v := p.all[k]
	var zero V
	p.all[k] = zero
	p.free = append(p.free, k)
	return v
}
