package core

import (
	"iter"
	"slices"
	"time"

	"github.com/filchsched/filch/exec/fair"
)

// This file is about whose task starts next when a core is free: a tree of weights
// (package fair). At its top the owner's own work, which is this process's jobs and
// those of its guests, stands against all work for peers; below, peers' homes stand
// against each other as equals, and nice acts only within its home. Run time × cores
// is charged when a run starts, by estimate, and settled when it ends. So one task of
// one home does not wait behind a thousand of another's.

// A tenant is a job as fairness knows it: one of ours, or what we hold of one.
type tenant struct {
	leaf *fair.Job
	job  *job
	up   *uplink
	held *heldJob
}

// tenants is the tree. Who wants a core and cannot use it now (its lease has
// lapsed, it is too wide) is set aside, and asked again at the next step.
type tenants struct {
	queue *fair.Queue
	own   *fair.Group
	peers *fair.Group
	homes map[PeerID]*fair.Group
	aside []*tenant

	reserved *tenant // whose next task collects what it needs; nil: none
}

const (
	turnSlice = chunkTime // the least that a start pays for
	maxHomes  = 1024      // whose past use is remembered; those with nothing here are forgotten first
)

func (t *tenants) init(peersNice int) {
	t.queue = fair.NewQueue(turnSlice)
	t.own = t.queue.Root().NewGroup(weight(0))
	t.peers = t.queue.Root().NewGroup(weight(peersNice))
	t.homes = make(map[PeerID]*fair.Group)
}

// weight of a nice value; one that is out of bounds counts as the bound.
func weight(nice int) int64 {
	w, err := fair.WeightOf(min(max(nice, fair.NiceMin), fair.NiceMax))
	if err != nil {
		panic(err) // it is within
	}
	return w
}

// wakeJob says that a job of ours has something queued.
func (c *Core) wakeJob(j *job) {
	if !j.listed {
		j.listed = true
		c.queued = append(c.queued, j)
	}
	if j.tenant == nil {
		leaf := c.tenants.own.NewJob(weight(int(j.terms.Nice)), 0)
		j.tenant = &tenant{leaf: leaf, job: j}
		leaf.Owner = j.tenant
	}
	j.tenant.leaf.SetWant(true)
}

// wakeHeld says that we hold something unstarted of a job.
func (c *Core) wakeHeld(u *uplink, h *heldJob) {
	if h.tenant == nil {
		group := c.tenants.own
		if u.guest == nil {
			group = c.homeGroup(h.id.Home)
		}
		leaf := group.NewJob(weight(int(h.terms.Nice)), 0)
		h.tenant = &tenant{leaf: leaf, up: u, held: h}
		leaf.Owner = h.tenant
	}
	h.tenant.leaf.SetWant(true)
}

func (c *Core) homeGroup(home PeerID) *fair.Group {
	t := &c.tenants
	if g := t.homes[home]; g != nil {
		return g
	}
	if len(t.homes) >= maxHomes {
		here := make(map[PeerID]bool)
		for _, u := range c.upOrder {
			for _, h := range u.order {
				here[h.id.Home] = true
			}
		}
		for p := range t.homes {
			if !here[p] {
				delete(t.homes, p)
			}
		}
	}
	g := t.peers.NewGroup(weight(0))
	t.homes[home] = g
	return g
}

// dispatch starts what may start on free cores, by the tree.
func (c *Core) dispatch() {
	t := &c.tenants
	for c.overlent() && c.inUse() < c.cores {
		if !c.startChild() && !c.startHeldChild() {
			return
		}
	}
	c.endReservation()
	if c.inUse() >= c.cores {
		return
	}
	if t.reserved != nil {
		c.startReserved()
	}
	if c.collects() {
		return
	}
	for _, x := range t.aside {
		x.leaf.SetWant(true)
	}
	t.aside = t.aside[:0]
	for c.inUse() < c.cores && !c.collects() {
		leaf := t.queue.Least()
		if leaf == nil {
			return
		}
		x := leaf.Owner.(*tenant)
		if c.childFirst(x) {
			continue
		}
		started, waiting := c.startOf(x)
		if started {
			continue
		}
		leaf.SetWant(false)
		if waiting {
			t.aside = append(t.aside, x)
			c.reserve(x)
		}
	}
}

// startOf starts the next task of a tenant. waiting: there is one that cannot start now.
func (c *Core) startOf(x *tenant) (started, waiting bool) {
	c.paying = x
	if x.job != nil {
		started = c.startOwn(x.job)
	} else {
		started = c.startHeld(x.up, x.held)
	}
	c.paying = nil
	switch {
	case started:
		return true, false
	case x.job != nil:
		return false, x.job.queued() && c.barred(&x.job.terms) == ""
	}
	return false, x.held.hasUnstarted() && c.mayStart(x.up, x.held)
}

// pay takes the turn of a run that dispatch starts, at what it will probably use.
func (c *Core) pay(r *running, p Piece, t *Terms) {
	if c.paying == nil {
		return
	}
	cost := c.est.of(t) * time.Duration(p.Len()) * time.Duration(r.cores)
	c.paying.leaf.SetUsual(cost)
	r.turn = c.tenants.queue.TakeFor(c.paying.leaf) // the least, or a child before its time
}

// settleTurn replaces the payment by what was used.
func (c *Core) settleTurn(r *running, ran time.Duration) {
	if r.turn.Job != nil {
		c.tenants.queue.Settle(r.turn, ran*time.Duration(r.cores))
	}
}

// queued tells whether anything of the job waits.
func (j *job) queued() bool { return j.queue.Len() > 0 }

// queuedJobs goes through those of our jobs that have something in the queue: every step looks at them, and a home
// remembers thousands that have ended.
func (c *Core) queuedJobs() iter.Seq[*job] {
	return func(yield func(*job) bool) {
		for k := 0; k < len(c.queued); {
			j := c.queued[k]
			if !j.queued() {
				j.listed = false
				c.queued = slices.Delete(c.queued, k, k+1)
				continue
			}
			if !yield(j) {
				return
			}
			k++
		}
	}
}

func (h *heldJob) hasUnstarted() bool { return h.unstarted > 0 }
