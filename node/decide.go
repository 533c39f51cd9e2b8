package node

import (
	"cmp"
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/filchsched/filch/exec/proc"
	"github.com/filchsched/filch/gossip"
	gossipcore "github.com/filchsched/filch/gossip/core"
	"github.com/filchsched/filch/steal/core"
	"github.com/filchsched/filch/steal/cost"
)

const (
	// refresh is how old the view of others may be on which decisions rest. Their news come about once a second; reading
	// a thousand members takes about a millisecond.
	refresh = 500 * time.Millisecond
	// expires is how long a decision may be followed: news of load are about as old, and many things happen in it.
	expires = 2 * time.Second
	// gatherPatience is how long it is waited for the state machine's view of the lines.
	gatherPatience = time.Second
)

// Decide says where a task should run, here or at which node, by what is known of all: how long it would wait, travel and run
// there, at best guess and at worst. It starts nothing. Decisions are made within microseconds; twice a second one takes
// a fresh look at the cluster first. Report what became of it: that is how estimates get better. (Tasks that ran
// anywhere teach, too.) If no node may run the task the decision says so, and is no error. It may be
// called concurrently.
func (n *Node) Decide(ctx context.Context, s Spec, o ...CallOption) (Decision, error) {
	s, err := s.with(o)
	if err != nil {
		return Decision{}, err
	}
	a, err := n.question(ctx, &s)
	if err != nil {
		return Decision{}, err
	}
	return n.work.decider.decide(ctx, a)
}

// Report says what became of a task that was placed as d says: how long it took from the decision to its outcome, and
// the error it ended in. A failure teaches nothing about time. Tasks that were placed otherwise are not to be reported. It may
// be called concurrently.
func (n *Node) Report(d Decision, took time.Duration, err error) {
	if d.by == nil || d.by.node != n || !d.Placeable() {
		return
	}
	d.by.mu.Lock()
	defer d.by.mu.Unlock()
	d.by.model.Report(proc.Clock(), &cost.Report{Ask: d.ask, Expected: d.chosen, Took: took, Failed: err != nil})
}

// A decider keeps a node's cost model fed. Lock order: looking, mu; the driver's goroutine takes mu, so it is not asked
// anything while mu is held.
type decider struct {
	node    *Node
	looking sync.Mutex // held by who takes a fresh look
	skipped atomic.Uint64

	mu     sync.Mutex
	model  *cost.Model   // guarded by mu, like what follows
	self   cost.Peer     // this node as it was told to the model
	looked time.Duration // when the others were
	last   DecisionID
	asked  cost.Ask          // the last question, here so that it is not allocated
	wheres map[string]uint64 // decisions by level; "here"
	levels map[string]string // of peers
}

func newDecider(n *Node) *decider {
	return &decider{node: n, model: cost.New(), looked: -1, wheres: make(map[string]uint64)}
}

// decide makes one decision.
func (d *decider) decide(ctx context.Context, a cost.Ask) (Decision, error) {
	if err := d.look(ctx); err != nil {
		return Decision{}, err
	}
	now := proc.Clock()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.busyNow(now)
	d.asked = a
	c := d.model.Choose(now, &d.asked)
	d.last++
	if c.Peer != "" {
		where := "here"
		if !c.Local {
			where = cmp.Or(d.levels[c.Peer], levels[len(levels)-1])
		}
		d.wheres[where]++
	}
	return Decision{
		ID: d.last, Target: c.Peer, Local: c.Local, Confidence: c.Confidence, Margin: c.Margin, Reason: c.Why.String(),
		Expires: time.Now().Add(expires), by: d, at: now, ask: a, chosen: c.Chosen,
	}, nil
}

// busyNow tells the model how busy this node is at this moment. mu is held.
func (d *decider) busyNow(now time.Duration) {
	d.self.Load.Free, d.self.Load.At = max(0, d.self.Cores-d.node.work.exec.busy()), now
	d.model.Update(d.self)
}

// look brings the model's view of the cluster up to date if it is old. Who finds that somebody else is at it goes by what
// there is.
func (d *decider) look(ctx context.Context) error {
	d.mu.Lock()
	looked := d.looked
	d.mu.Unlock()
	switch {
	case looked >= 0 && proc.Clock()-looked < refresh:
		return nil
	case looked < 0:
		d.looking.Lock()
	case !d.looking.TryLock():
		return nil
	}
	defer d.looking.Unlock()
	g, err := d.gather(ctx)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.model.Meet(g.peers)
	d.self, d.levels, d.looked = g.peers[0], g.levels, g.at
	return nil
}

// What was gathered: this node first.
type gathered struct {
	peers  []cost.Peer
	levels map[string]string
	at     time.Duration
}

// A line is what the state machine knows of one to a peer.
type line struct {
	way       cost.Way
	functions []uint32
}

// gather reads members, loads and lines.
func (d *decider) gather(ctx context.Context) (g gathered, err error) {
	n := d.node
	var surplus time.Duration
	lines := make(map[core.PeerID]line)
	ctx, cancel := context.WithTimeout(ctx, gatherPatience)
	defer cancel()
	if err := n.work.driver.Ask(ctx, func(c *core.Core) {
		surplus = c.Surplus()
		c.Ways(func(p core.PeerID, w cost.Way, functions []uint32) {
			l := lines[p]
			l.way = w
			l.functions = append(l.functions, functions...)
			lines[p] = l
		})
	}); err != nil {
		return g, wrongNode(err)
	}
	g.at, g.levels = proc.Clock(), make(map[string]string)
	self := cost.Peer{
		ID: n.self.identity.ID().String(), Self: true, Machine: cost.Machine{Score: float64(coreSpeed()) / 1000}, Cores: n.cores(), Memory: n.memory,
		Kinds: kindsOf(n.kinds()), Labels: labelList(n.config.Labels), Zone: n.config.Labels[labelZone], Knows: true,
		Load: cost.Load{Heard: true, Queued: surplus, At: g.at},
	}
	g.peers = append(g.peers, self)
	if n.network == nil {
		return g, nil
	}
	digest := n.functionDigest()
	for _, m := range n.network.cluster.Members() {
		if !m.Self {
			id := m.ID.String()
			g.peers = append(g.peers, memberCost(id, &m, digest, lines[core.PeerID(id)], g.at))
			g.levels[id] = m.Level.String()
		}
	}
	return g, nil
}

// memberCost is a member in the words of the cost model.
func memberCost(id string, m *gossip.Member, digest uint64, l line, now time.Duration) cost.Peer {
	p := cost.Peer{ID: id, RTT: m.RTT, Pace: l.way.Pace, Functions: l.functions}
	if p.RTT == 0 {
		p.RTT = l.way.RTT
	}
	switch {
	case m.State == gossipcore.Left:
		p.Away = "has left"
	case m.State != gossipcore.Alive:
		p.Away = "does not answer"
	case m.Record == nil:
		p.Away = "has not told yet what it has"
	default:
		r := m.Record
		p.Machine = cost.Machine{Score: float64(r.Speed) / 1000}
		p.Cores, p.Memory, p.Kinds = r.Cores, r.Memory, kindsOf(r.Kinds)
		p.Labels, p.Zone, p.Knows = labelList(m.Labels), m.Labels[labelZone], digest != 0 && r.Functions == digest
	}
	if m.Heard {
		p.Load = cost.Load{Heard: true, Free: m.News.FreeCores, Queued: m.News.Queued, At: now - m.News.Age}
	}
	return p
}

// labelZone is the label that says in which zone a node is.
const labelZone = "zone"

func labelList(labels map[string]string) []string {
	list := make([]string, 0, len(labels))
	for k, v := range labels {
		list = append(list, k+"="+v)
	}
	return list
}

// estimates tells what is expected of every node, as it stood at a decision.
func (d *decider) estimates(a *cost.Ask, at time.Duration, chosen *cost.Estimate) []Estimate {
	names := make(map[string]string)
	all := d.node.Members()
	for k := range all {
		names[all[k].ID] = all[k].Name
	}
	d.mu.Lock()
	list := d.model.Estimates(at, a, chosen)
	d.mu.Unlock()
	told := make([]Estimate, len(list))
	for k := range list {
		e := &list[k]
		told[k] = Estimate{
			Node: e.Peer, Name: cmp.Or(names[e.Peer], e.Peer), Total: dist(e.Total), Queue: dist(e.Queue), Transfer: dist(e.Transfer), Cold: dist(e.Cold),
			Exec: dist(e.Run), Return: dist(e.Back), StateAge: e.Age, Samples: e.Samples, Rejected: e.Rejected,
		}
	}
	return told
}
