package fair

import "time"

// creditSlices bounds what an entity may bring along from a time in which it
// could not use its share, in slices at its own weight. Any bound above zero keeps
// such an entity first in line for what it can use; a small one keeps it
// from monopolising the machine when it can suddenly use more.
const creditSlices = 4

// An entity is what fairness is between at one level of the tree: a job or a
// group of them.
type entity struct {
	q      *Queue
	parent *Group // nil for the root
	weight int64
	v      int64 // virtual runtime: nanoseconds × unit ÷ weight, compared by difference
	pos    int   // in the parent's heap, -1 when not queued
	out    int   // turns out, of the job or of all jobs below the group
	away   bool  // neither queued nor with a turn out; v is then as it was left
	credit int64 // ≤ 0: how far v was below the floor when the entity went away
	group  *Group
	job    *Job
}

func (e *entity) setup(q *Queue, parent *Group, weight int64) {
	e.q, e.parent, e.weight = q, parent, max(1, weight)
	e.pos = -1
	e.away = true
	if parent != nil {
		// A newborn owes one slice: else a stream of one-task jobs,
		// each born at the floor, would keep everyone else out.
		e.v = parent.floor + e.virtual(int64(q.slice))
	}
}

// virtual converts nanoseconds of service into virtual time: ns × unit ÷ weight,
// in two parts because the product of a turn of 104 days would overflow.
func (e *entity) virtual(ns int64) int64 { return ns/e.weight*unit + ns%e.weight*unit/e.weight }

// charge lets e and all groups above it pay for ns of service.
func (e *entity) charge(ns int64) { e.settle(0, ns) }

// settle replaces a payment of paid by one of used, all the way up. The two
// are converted apart, so that what was paid is taken back to the nanosecond.
func (e *entity) settle(paid, used int64) {
	for ; e.parent != nil; e = &e.parent.entity {
		e.v += e.virtual(used) - e.virtual(paid)
		if e.pos >= 0 {
			e.parent.fix(e.pos)
		}
	}
}

// enqueue puts e into its parent's heap, and the parent into its own, and so
// on up. Lag is restored here: an entity that was away returns no better than
// it left, and one that owed has paid by its absence.
func (e *entity) enqueue() {
	p := e.parent
	if p == nil || e.pos >= 0 {
		return
	}
	if e.away {
		e.stay()
	} else if least := p.floor - e.virtual(creditSlices*int64(e.q.slice)); e.v-least < 0 {
		e.v = least
	}
	p.push(e)
	if e.job != nil {
		e.q.queued++
	}
	p.enqueue()
}

// stay ends the absence of e and of the groups above it.
func (e *entity) stay() {
	for ; e.parent != nil && e.away; e = &e.parent.entity {
		e.away = false
		e.parent.present += e.weight
		if back := e.parent.floor + e.credit; e.v-back < 0 {
			e.v = back
		}
	}
}

// dequeue takes e out of its parent's heap; a group that is empty then leaves
// as well.
func (e *entity) dequeue() {
	p := e.parent
	if p == nil || e.pos < 0 {
		return
	}
	p.remove(e.pos)
	if e.job != nil {
		e.q.queued--
	}
	if len(p.heap) == 0 {
		p.dequeue()
	}
}

// leave saves the lag of e and of every group above it that has neither
// queued work nor turns out.
func (e *entity) leave() {
	for ; e.parent != nil && e.pos < 0 && e.out == 0 && !e.away; e = &e.parent.entity {
		e.away = true
		e.parent.present -= e.weight
		bound := e.virtual(creditSlices * int64(e.q.slice))
		e.credit = min(0, max(e.v-e.parent.floor, -bound))
	}
}

// addOut counts turns taken and settled, all the way up.
func (e *entity) addOut(n int) {
	for ; e.parent != nil; e = &e.parent.entity {
		e.out += n
	}
}

// A Group is a set of jobs and groups that share what the group gets. Tenants
// are groups.
type Group struct {
	entity
	heap    []*entity // binary min-heap by v
	floor   int64     // the v of the last least that was taken; only grows
	present int64     // the weights of the children that are not away
}

// NewGroup makes a group in g with a weight (1024 is nice 0).
func (g *Group) NewGroup(weight int64) *Group {
	child := new(Group)
	child.init(g.q, g, weight)
	return child
}

// SetWeight changes the weight of the group; what was charged so far stays.
func (g *Group) SetWeight(weight int64) {
	if g.parent != nil && !g.away {
		g.parent.present += max(1, weight) - g.weight
	}
	g.weight = max(1, weight)
}

func (g *Group) init(q *Queue, parent *Group, weight int64) {
	g.setup(q, parent, weight)
	g.entity.group = g
}

// first returns the queued child with the least v and raises the floor to it.
func (g *Group) first() *entity {
	e := g.heap[0]
	g.raise(e.v)
	return e
}

func (g *Group) raise(v int64) {
	if v-g.floor > 0 {
		g.floor = v
	}
}

// least reports whether nobody queued is further behind than e and the groups
// above it, and if so raises the floors to them.
func (e *entity) least() bool {
	for x := e; x.parent != nil; x = &x.parent.entity {
		if h := x.parent.heap; len(h) > 0 && h[0].v-x.v < 0 {
			return false
		}
	}
	for x := e; x.parent != nil; x = &x.parent.entity {
		x.parent.raise(x.v)
	}
	return true
}

// A Job is a leaf: what takes turns. All of its methods need the queue's lock.
type Job struct {
	entity
	want  bool  // it has work that one more turn could take
	limit int   // most turns out at once; 0: no limit
	usual int64 // nanoseconds that one of its tasks usually takes
	used  int64 // nanoseconds of slot time of the turns that were settled
	Owner any   // what the caller knows the job by; the queue does not look at it
}

// NewJob makes a job in g with a weight (1024 is nice 0) and at most limit
// turns out at once (0: no limit).
func (g *Group) NewJob(weight int64, limit int) *Job {
	j := &Job{limit: limit}
	j.setup(g.q, g, weight)
	j.entity.job = j
	return j
}

// SetWant says whether the job has work that one more turn could take.
func (j *Job) SetWant(want bool) {
	j.want = want
	j.refresh()
}

// Service returns the slot time of all turns of the job that were settled.
func (j *Job) Service() time.Duration { return time.Duration(j.used) }

// Share returns the part of all service that the job is entitled to now, from 0
// to 1: its weight among the jobs of its group that want turns or have them,
// times the same of its group, and so on up. It is 0 while the job is away.
func (j *Job) Share() float64 {
	if j.away {
		return 0
	}
	share := 1.0
	for e := &j.entity; e.parent != nil; e = &e.parent.entity {
		share *= float64(e.weight) / float64(e.parent.present)
	}
	return share
}

// Queued reports whether the job stands in line for a turn.
func (j *Job) Queued() bool { return j.pos >= 0 }

// Want returns what SetWant said last.
func (j *Job) Want() bool { return j.want }

// SetUsual says what a task of the job usually takes: turns pay for at least
// that much ahead.
func (j *Job) SetUsual(d time.Duration) { j.usual = int64(d) }

// TurnsOut returns the number of turns that the job has out.
func (j *Job) TurnsOut() int { return j.out }

// refresh brings the heap in line with want, out and limit.
func (j *Job) refresh() {
	if j.want && (j.limit == 0 || j.out < j.limit) {
		j.enqueue()
		return
	}
	j.dequeue()
	j.leave()
}
