package sim

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/filchsched/filch/steal/core"
)

// A world is one simulated cluster.
type world struct {
	seed   uint64
	rng    *rand.Rand
	extra  *rand.Rand // of spancancel.go
	narrow bool       // nodes have little memory
	lends  bool       // runs may leave cores idle, and some jobs are those that runs wait for
	now    time.Duration
	queue  events
	count  uint64

	nodes []*node // in the order they were made; dead ones stay
	conns []*conn
	tasks map[core.JobID]*batch
	check checker

	faults    int           // injected so far
	hedges    int           // second attempts that homes made by themselves, in a calm world
	lastFault time.Duration // when the last one was over
	freed     time.Duration // when the last core was free again of a run for nothing that had begun before
	blocked   map[[2]string]int
	far       time.Duration // delay of frames between nodes that are far apart
	slowest   time.Duration // extra delay of frames
	dupes     bool          // frames may come twice

	overhears func(core.Message) // sees every frame that is sent; may be nil

	trace []string // what happened, when tracing
	keep  bool
}

// An event is something to do at a time.
type event struct {
	at  time.Duration
	seq uint64
	do  func()
}

type events []event

func (q events) Len() int { return len(q) }
func (q events) Less(i, j int) bool {
	return q[i].at < q[j].at || q[i].at == q[j].at && q[i].seq < q[j].seq
}
func (q events) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *events) Push(x any)   { *q = append(*q, x.(event)) }
func (q *events) Pop() any {
	old := *q
	e := old[len(old)-1]
	*q = old[:len(old)-1]
	return e
}

// in does something after a delay.
func (w *world) in(d time.Duration, do func()) {
	w.count++
	heap.Push(&w.queue, event{w.now + max(d, 0), w.count, do})
}

// run lets time pass until a moment, or until a promise is broken.
func (w *world) run(until time.Duration, enough func() bool) {
	for len(w.queue) > 0 && w.check.broken == "" && !enough() {
		if w.queue[0].at > until {
			break
		}
		e := heap.Pop(&w.queue).(event)
		w.now = e.at
		e.do()
	}
	if w.check.broken == "" && !enough() {
		w.now = until
	}
}

func (w *world) logf(format string, args ...any) {
	if w.keep {
		w.trace = append(w.trace, fmt.Sprintf("%9.4f ", w.now.Seconds())+fmt.Sprintf(format, args...))
	}
}

// between is a random duration.
func (w *world) between(lo, hi time.Duration) time.Duration {
	return lo + time.Duration(w.rng.Int64N(int64(hi-lo)+1))
}

func (w *world) chance(p float64) bool { return w.rng.Float64() < p }

// A node is a machine with one filch process.
type node struct {
	w    *world
	name string
	id   core.PeerID
	core *core.Core
	inc  uint64
	disk *disk // what survives a restart; nil: nothing does

	alive, frozen, suspended bool
	thawing                  bool    // reads what came while it was frozen
	life                     int     // counts crashes: events of an earlier life are void
	rate                     float64 // of its clock
	offset                   time.Duration
	cores                    int
	labels                   []string
	slow                     float64 // run times are multiplied by it
	liar, mute               bool
	host                     *node // of which it is a guest; nil: none
	hosted                   bool  // connected with it
	most                     int   // cores that it may be lent at once; 0: no bound
	onlyFuncs, hasDir        bool
	funcs                    []string // that it knows; nil: all
	loose                    bool
	draining                 bool

	inbox  []core.Event // while frozen
	ticked time.Duration
	engine engine
}

// A disk is a journal and what identifies the node.
type disk struct {
	inc  uint64
	jobs []*record
}

type record struct {
	core.Restored
	committed core.Spans[bool]
}

func (d *disk) find(id core.JobID) *record {
	for _, r := range d.jobs {
		if r.Job == id {
			return r
		}
	}
	return nil
}

// clock is the node's time: it runs at its own rate and includes suspends.
func (n *node) clock() time.Duration {
	return n.offset + time.Duration(float64(n.w.now)*n.rate)
}

// until is how long it takes, in the world's time, until the node's clock shows t.
func (n *node) until(t time.Duration) time.Duration {
	return time.Duration(float64(t-n.clock())/n.rate) + 1
}

// boot starts the process.
func (n *node) boot() {
	cfg := core.Config{
		ID: n.id, Seed: n.w.rng.Uint64(), Cores: n.cores, Labels: n.labels, Kinds: n.kinds(),
		Memory: n.limit(), GiveUp: giveUp, Loose: n.loose, Check: true, Incarnation: 1,
	}
	copy(cfg.Key[:], n.id)
	if n.w.crowded() {
		cfg.Crowd = 1
	}
	if n.host != nil {
		cfg.Host = n.host.id
	}
	if n.disk != nil {
		n.disk.inc++
		cfg.Incarnation = n.disk.inc
		for _, r := range n.disk.jobs {
			job := r.Restored
			for s := range r.committed.Runs() {
				job.Committed = append(job.Committed, s.Span)
			}
			cfg.Restored = append(cfg.Restored, job)
		}
	}
	if n.w.keep {
		cfg.Log = func(_ time.Duration, line string) { n.w.logf("%s: %s", n.name, line) }
	}
	n.inc = cfg.Incarnation
	n.alive, n.frozen, n.suspended, n.draining, n.mute = true, false, false, false, false
	n.engine = engine{node: n, leashes: make(map[uint64]time.Duration)}
	n.ticked = -1
	n.core = core.New(cfg, n.clock())
	if n.host != nil {
		n.step(core.Tick{})
		return
	}
	n.step(core.Members{List: n.w.members(n)})
	var hashes []uint32
	for _, f := range n.funcs {
		hashes = append(hashes, core.FunctionHash(f))
	}
	n.step(core.Functions{Hashes: hashes})
	n.gossip(n.life)
}

// step hands one event to the core and carries out what it says.
func (n *node) step(ev core.Event) {
	if !n.alive || n.w.check.broken != "" {
		return
	}
	if n.frozen {
		n.inbox = append(n.inbox, ev)
		return
	}
	defer func() {
		if r := recover(); r != nil {
			text := fmt.Sprint(r)
			if !strings.HasPrefix(text, "core: ") {
				panic(r)
			}
			n.w.check.breaks("%s at %s", strings.TrimPrefix(text, "core: "), n.name)
		}
	}()
	for _, e := range n.core.Step(n.clock(), ev) {
		n.carry(e)
		if !n.alive {
			return
		}
	}
	n.schedule()
}

// schedule makes sure that a Tick comes when the core wants one.
func (n *node) schedule() {
	at, ok := n.core.Next()
	if !ok {
		return
	}
	due := n.w.now + n.until(at)
	if n.ticked >= n.w.now && n.ticked <= due {
		return
	}
	n.ticked = due
	life := n.life
	n.w.in(due-n.w.now, func() {
		if n.life != life || n.ticked != due {
			return
		}
		n.ticked = -1
		if !n.frozen {
			n.step(core.Tick{})
		}
	})
}

// thaw lets a frozen process go on: what has arrived is read before timers fire.
func (n *node) thaw() {
	if !n.alive || !n.frozen {
		return
	}
	n.frozen = false
	n.w.logf("%s thaws", n.name)
	if n.suspended {
		n.suspended = false
		n.engine.resume()
	}
	n.engine.thawed()
	queued := n.inbox
	n.inbox = nil
	n.thawing = true
	for _, ev := range queued {
		n.step(ev)
	}
	n.thawing = false
	n.ticked = -1
	n.step(core.Tick{})
}

// gossip tells the core about once a second what two others could give away.
func (n *node) gossip(life int) {
	if n.life != life || !n.alive {
		return
	}
	var list []core.Candidate
	for range 2 {
		o := n.w.nodes[n.w.rng.IntN(len(n.w.nodes))]
		if o != n && o.alive && !o.frozen && o.host == nil && !n.w.isBlocked(o, n) {
			list = append(list, core.Candidate{Peer: o.id, Level: uint8(len(o.name) % 2), Surplus: o.core.Surplus(), Age: time.Second / 2})
		}
	}
	if len(list) > 0 {
		n.step(core.Candidates{List: list})
	}
	n.w.in(n.w.between(time.Second/2, 3*time.Second/2), func() { n.gossip(life) })
}

// members is who is there, as of sees it: where the way matters (Config.Crowd) there are two racks.
func (w *world) members(of *node) (list []core.Member) {
	for k, n := range w.nodes {
		if n.alive && n.host == nil {
			m := core.Member{Peer: n.id, Place: fmt.Sprintf("z/r%d", k%2)}
			if w.crowded() && k%2 != slices.Index(w.nodes, of)%2 {
				m.Level = 1
			}
			list = append(list, m)
		}
	}
	return list
}

// crowded: in every other world thieves ask by way of near ones.
func (w *world) crowded() bool { return w.seed%2 == 1 }

func (w *world) find(id core.PeerID) *node {
	for _, n := range w.nodes {
		if n.id == id {
			return n
		}
	}
	return nil
}

// carry carries out one effect.
func (n *node) carry(e core.Effect) {
	w := n.w
	w.check.saw(n, e)
	switch e := e.(type) {
	case core.Open:
		w.open(n, e)
	case core.Close:
		w.close(n, e)
	case core.Send:
		w.send(n, e)
	case core.Run:
		n.engine.run(e)
		if !n.hosted {
			w.check.bounded(w.check.fate(e.Piece.Job), n)
		}
	case core.Declined:
		n.declined(e.Piece)
	case core.Prove:
		n.prove(e)
	case core.Halt:
		n.engine.halt(e.Piece)
	case core.Leash:
		n.engine.leash(e)
	case core.Submitted:
		b := w.tasks[core.JobID{Seq: e.Ref}]
		w.tasks[e.Job] = b
		b.job, b.n = e.Job, e.N
		w.check.fate(e.Job)
		if n.disk != nil && b.terms.Durable {
			n.disk.jobs = append(n.disk.jobs, &record{Restored: core.Restored{Job: e.Job, Terms: b.terms, N: e.N}})
		}
	case core.Commit:
		if n.disk != nil {
			if r := n.disk.find(e.Piece.Job); r != nil {
				r.committed.Set(e.Piece.Span, true)
			}
		}
	case core.CancelAccepted:
		if n.disk != nil {
			if r := n.disk.find(e.Job); r != nil {
				r.Cancelled = true
			}
		}
	}
}
