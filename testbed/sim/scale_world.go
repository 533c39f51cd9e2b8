package sim

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/steal/core"
)

// A plant is a large cluster in virtual time, without faults: every node is a
// core.Core as in production, the rest is as lean as can be. Frames wait for the
// sender's link, travel, wait for the receiver's link and for its loop, in order.
type plant struct {
	shape
	rng   *rand.Rand
	now   time.Duration
	queue calendar

	nodes   []machine
	letters pool[letter]
	runs    pool[piecework]
	papers  pool[[]entry]
	wires   map[uint64]*wire // between pairs that have a connection
	errands []errand

	loads []*load
	of    map[core.JobID]*load
	left  uint64 // tasks that are not committed, of all loads

	figures
	wrong string // the first thing that must not happen
}

// A shape is what a plant is like.
type shape struct {
	nodes, cores, perRack, racksPerZone int
	blind                               bool // levels are not known: everything seems equally far
	args, results                       int  // bytes of a task
	check                               bool
	seed                                uint64
}

// A machine is one node.
type machine struct {
	id         core.PeerID
	core       *core.Core
	rack, zone int32
	loopFree   time.Duration // when its loop has done what it has begun
	tx, rx     time.Duration // when its link is free
	spent      time.Duration // by loop and network code so far
	ticked     time.Duration
	waking     bool
	busy       int32
	inbox      []inboxItem
	head       int
	gossip     gossiper
	tree       *load // home of what its tasks spawn
	degree     int32 // connections
	frames     int32 // received
}

type inboxItem struct {
	letter int32 // -1: see ev
	ev     core.Event
}

// A wire is a connection: when it takes the next frame, in either direction.
type wire struct{ free [2]time.Duration }

// A letter is a frame on its way.
type letter struct {
	from, to int32
	up       bool
	size     int32
	records  int32
	frame    core.Frame
}

// A piecework is a piece that runs.
type piecework struct {
	core.Run
	takes time.Duration // its tasks' own time
	mark  time.Duration // what the node's loop had spent when last looked
}

// An errand is something that a driver's user does at a time.
type errand struct {
	node int32
	load *load
}

func newPlant(s shape) *plant {
	p := &plant{shape: s, rng: rand.New(rand.NewPCG(s.seed, 0x5ca1e)), wires: make(map[uint64]*wire), of: make(map[core.JobID]*load), figures: figures{granted: make(map[int32]struct{})}}
	p.nodes = make([]machine, s.nodes)
	for k := range p.nodes {
		m := &p.nodes[k]
		m.id = core.PeerID(fmt.Sprintf("n%05d", k))
		m.rack = int32(k / s.perRack)
		m.zone = m.rack / int32(s.racksPerZone)
		m.ticked = -1
		m.core = core.New(core.Config{ID: m.id, Incarnation: 1, Key: [32]byte{byte(k), byte(k >> 8)}, Seed: s.seed<<20 + uint64(k),
			Cores: s.cores, Kinds: []task.Kind{task.KindFunc}, Loose: true, Check: s.check}, 0)
	}
	p.introduce()
	for k := range p.nodes {
		p.queue.add(occasion{at: time.Duration(p.rng.Int64N(int64(time.Second))), kind: onGossip, node: int32(k)})
	}
	return p
}

// introduce tells everybody who is there: once, a list for each rack. Nodes of
// a rack see everybody at the same level but for themselves, which nobody asks.
func (p *plant) introduce() {
	places := p.rng.Perm(len(p.nodes))
	var list []core.Member
	for k := range p.nodes {
		m := &p.nodes[k]
		if k%p.perRack == 0 {
			list = make([]core.Member, len(p.nodes))
			for o := range p.nodes {
				n := &p.nodes[o]
				level := p.level(int32(k), int32(o))
				if o == k {
					level = levelRack
				}
				list[o] = core.Member{Peer: n.id, Place: fmt.Sprintf("z%03d/r%04d", n.zone, n.rack), Level: uint8(level), RTT: 2 * latency[level], Cores: int32(p.cores)}
				if p.blind {
					list[o].Place, list[o].Level, list[o].RTT = fmt.Sprintf("%05d", places[o]), levelRack, 0
				}
			}
			if p.blind {
				slices.SortFunc(list, func(a, b core.Member) int { return cmpString(a.Place, b.Place) })
			}
		}
		p.handle(m, int32(k), inboxItem{letter: -1, ev: core.Members{List: list}})
		m.loopFree, m.spent = 0, 0
	}
}

func cmpString(a, b string) int {
	if a < b {
		return -1
	}
	if a > b {
		return 1
	}
	return 0
}

func (p *plant) level(a, b int32) int {
	x, y := &p.nodes[a], &p.nodes[b]
	switch {
	case a == b:
		return levelSelf
	case x.rack == y.rack:
		return levelRack
	case x.zone == y.zone:
		return levelZone
	}
	return levelRemote
}

func index(id core.PeerID) int32 {
	n := int32(0)
	for _, d := range id[1:] {
		n = 10*n + int32(d-'0')
	}
	return n
}

// run lets time pass until everything is committed, or until a moment.
func (p *plant) run(until time.Duration) {
	for len(p.queue.list) > 0 && p.wrong == "" {
		if p.queue.list[0].at > until {
			p.now = until
			return
		}
		o := p.queue.pop()
		p.now = o.at
		p.happen(o)
		if p.left == 0 && len(p.errands) > 0 && p.submitted == len(p.errands) {
			return
		}
	}
}

func (p *plant) happen(o occasion) {
	m := &p.nodes[o.node]
	switch o.kind {
	case onArrival:
		l := &p.letters.all[o.what]
		m.frames++
		m.rx = max(m.rx, p.now) + time.Duration(l.size)*perByte
		p.into(m, o.node, inboxItem{letter: o.what})
	case onWake:
		p.wake(m, o.node)
	case onTick:
		if m.ticked == o.at {
			m.ticked = -1
			p.into(m, o.node, inboxItem{letter: -1, ev: core.Tick{}})
		}
	case onEnd:
		p.end(m, o)
	case onGossip:
		p.gossipTurn(m, o.node)
	case onNews:
		p.newsArrived(m, o.node, p.papers.take(o.what))
	case onSubmit:
		e := p.errands[o.what]
		p.submitted++
		p.submit(m, o.node, e.load)
	}
}

// into gives a node's loop something to do, now or when it has done what came before.
func (p *plant) into(m *machine, n int32, it inboxItem) {
	if !m.waking && m.loopFree <= p.now && m.rx <= p.now+2*time.Microsecond {
		p.handle(m, n, it)
		p.alarm(m, n)
		return
	}
	m.inbox = append(m.inbox, it)
	if !m.waking {
		m.waking = true
		p.queue.add(occasion{at: max(m.loopFree, m.rx, p.now), kind: onWake, node: n})
	}
}

func (p *plant) wake(m *machine, n int32) {
	it := m.inbox[m.head]
	m.inbox[m.head] = inboxItem{}
	if m.head++; m.head == len(m.inbox) {
		m.inbox, m.head = m.inbox[:0], 0
	}
	p.handle(m, n, it)
	if m.head < len(m.inbox) {
		p.queue.add(occasion{at: max(m.loopFree, p.now), kind: onWake, node: n})
		return
	}
	m.waking = false
	p.alarm(m, n)
}

// alarm makes sure that a Tick comes when the core wants one. A loop that still
// has frames to read reads them first.
func (p *plant) alarm(m *machine, n int32) {
	at, ok := m.core.Next()
	if !ok {
		return
	}
	at = max(at, m.loopFree, p.now)
	if m.ticked >= 0 && m.ticked <= at {
		return
	}
	m.ticked = at
	p.queue.add(occasion{at: at, kind: onTick, node: n})
}

// handle is a step of a node, and what it costs.
func (p *plant) handle(m *machine, n int32, it inboxItem) {
	begin := max(p.now, m.loopFree)
	cost := costStep
	ev := it.ev
	grants := false
	if it.letter >= 0 {
		l := p.letters.take(it.letter)
		cost += costFrame + time.Duration(l.records)*costPiece
		ev = core.Received{From: p.nodes[l.from].id, Up: l.up, Frame: l.frame}
		_, grants = l.frame.Msg.(core.Grant)
	}
	p.steps++
	at := begin + cost
	for _, e := range m.core.Step(begin, ev) {
		at = p.carry(m, n, e, at)
	}
	m.spent += at - begin
	m.loopFree = at
	if grants {
		p.noticeSurplus(m, n)
	}
}

// carry carries out one effect and returns when the loop is done with it.
func (p *plant) carry(m *machine, n int32, e core.Effect, at time.Duration) time.Duration {
	switch e := e.(type) {
	case core.Send:
		return p.send(m, n, e, at)
	case core.Open:
		return p.dial(m, n, index(e.Peer), at)
	case core.Run:
		l := p.of[e.Piece.Job]
		w := piecework{Run: e, takes: l.takes(e.Piece.Span), mark: m.spent}
		m.busy++
		p.starts(n, l, &w, at)
		p.queue.add(occasion{at: at + costRun + w.takes, kind: onEnd, node: n, what: p.runs.put(w)})
		return at + costRun
	case core.Submitted:
		l := p.loads[e.Ref]
		l.job = e.Job
		p.of[e.Job] = l
	case core.Commit:
		p.committed(m, n, e)
		return at + costPiece
	case core.Halt:
		// The slower attempt of a hedged task. Functions need not listen: it runs on.
	case core.Took:
		p.fail("taken: %v from %s, and nobody is lost", e.Piece, e.Peer)
	}
	return at
}

func (p *plant) fail(format string, args ...any) {
	if p.wrong == "" {
		p.wrong = fmt.Sprintf("%v: ", p.now) + fmt.Sprintf(format, args...)
	}
}

func pair(a, b int32) uint64 { return uint64(min(a, b))<<32 | uint64(max(a, b)) }

// dial makes a stream to a peer, on a new connection if there is none. What is
// sent before it is ready waits.
func (p *plant) dial(m *machine, n, to int32, at time.Duration) time.Duration {
	key, o := pair(n, to), &p.nodes[to]
	if p.wires[key] != nil {
		p.streams++
		o.loopFree = max(o.loopFree, p.now) + costStream
		o.spent += costStream
		return at + costStream
	}
	p.dials++
	m.degree++
	o.degree++
	level := p.level(n, to)
	p.bytes[level] += 2 * dialBytes
	// The peer's processor has its own queue; its part is over when it has got to it.
	o.loopFree = max(o.loopFree, p.now) + costDial
	o.spent += costDial
	ready := max(at+costDial, o.loopFree) + dialRounds*2*latency[level]
	p.wires[key] = &wire{[2]time.Duration{ready, ready}}
	return at + costDial
}

func (p *plant) send(m *machine, n int32, e core.Send, at time.Duration) time.Duration {
	to := index(e.To)
	size, records := weigh(e.Frame.Msg, p.args, p.results)
	at += costFrame + time.Duration(records)*costPiece
	level := p.level(n, to)
	free := &p.wires[pair(n, to)].free[0]
	if n > to {
		free = &p.wires[pair(n, to)].free[1]
	}
	gone := max(at, m.tx, *free) + time.Duration(size)*perByte
	if *free <= at { // what waits for a handshake does not hold up others
		m.tx = gone
	}
	*free = gone
	p.count(e.Frame.Msg, n, to, level, size)
	p.queue.add(occasion{at: gone + latency[level], kind: onArrival, node: to,
		what: p.letters.put(letter{from: n, to: to, up: e.Up, size: int32(size), records: int32(records), frame: e.Frame})})
	return at
}

// end is the end of a run, unless the loop has taken from its core's time: then
// it goes on for as long.
func (p *plant) end(m *machine, o occasion) {
	w := &p.runs.all[o.what]
	if late := (m.spent - w.mark) / time.Duration(p.cores); late > time.Microsecond {
		w.mark = m.spent
		p.queue.add(occasion{at: p.now + late, kind: onEnd, node: o.node, what: o.what})
		return
	}
	done := p.runs.take(o.what)
	m.busy--
	p.ended(m, o.node, &done)
	p.into(m, o.node, inboxItem{letter: -1, ev: core.Finished{Piece: done.Piece, State: task.Done, Ran: done.takes}})
}
