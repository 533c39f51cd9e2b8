package core

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// A world runs machines in virtual time: a heap of happenings, a network with
// latency and loss, and no goroutines. Everything follows from its seed.
type world struct {
	t     testing.TB
	rand  *rand.Rand
	now   time.Duration
	queue happenings
	order int // of happenings at one time
	nodes []*node
	byID  map[ID]*node

	loss    float64       // of datagrams
	latency time.Duration // one way, half of it to one and a half

	bytes     int // sealed news, sent and received
	datagrams int
}

type node struct {
	w       *world
	i       int
	m       *Machine
	load    Load
	woken   time.Duration // the time that a tick is queued for
	deaf    bool          // gets nothing
	seen    []Effect      // all but SendNews and FetchRecords
	fetches int
	asked   map[ID]bool // whom, for records
}

type happening struct {
	at    time.Duration
	order int
	do    func()
}

type happenings []happening

func (h happenings) Len() int { return len(h) }
func (h happenings) Less(i, j int) bool {
	return h[i].at < h[j].at || h[i].at == h[j].at && h[i].order < h[j].order
}
func (h happenings) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *happenings) Push(x any)   { *h = append(*h, x.(happening)) }
func (h *happenings) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}

func idOf(i int) ID { return ID(fmt.Sprintf("\x00\x24\x08\x01\x12\x20%032d", i)) }

func recordOf(i, rack int) Record {
	return Record{
		ID: idOf(i), Name: fmt.Sprintf("node-%d", i), Addrs: []string{"/ip4/10.0.0.1/udp/4000/quic-v1"},
		Labels: map[string]string{LabelRack: fmt.Sprintf("r%d", rack), LabelZone: "z"},
		Arch:   "amd64", OS: "linux", Cores: 4, Memory: 8 << 30, Kinds: []string{"func", "proc"},
		Certificate: make([]byte, 110),
	}
}

const rackSize = 20

// newWorld makes n nodes that know nobody, in racks of 20.
func newWorld(t testing.TB, n int, seed uint64) *world {
	t.Helper()
	if n > 1 {
		t.Logf("n %d seed %d", n, seed)
	}
	w := &world{t: t, rand: rand.New(rand.NewPCG(seed, 1)), byID: make(map[ID]*node), latency: 2 * time.Millisecond}
	for i := range n {
		m, err := New(0, Config{Record: recordOf(i, i/rackSize), Incarnation: 1, Rand: rand.New(rand.NewPCG(seed, uint64(i)+2))})
		if err != nil {
			t.Fatal(err)
		}
		x := &node{w: w, i: i, m: m, woken: Never, asked: make(map[ID]bool)}
		w.nodes = append(w.nodes, x)
		w.byID[idOf(i)] = x
	}
	return w
}

// meet lets all nodes see each other, as Serf would after a burst join.
func (w *world) meet() {
	for _, x := range w.nodes {
		for _, y := range w.nodes {
			if x != y {
				tag, _ := y.m.Own()
				x.step(MemberSeen{ID: y.m.self.id, State: Alive, Tag: tag})
			}
		}
	}
}

func (w *world) after(d time.Duration, do func()) {
	w.order++
	heap.Push(&w.queue, happening{w.now + d, w.order, do})
}

func (w *world) transit() time.Duration {
	return w.latency/2 + time.Duration(w.rand.Int64N(int64(w.latency)))
}

// run lets d pass.
func (w *world) run(d time.Duration) { w.runUntil(d, func() bool { return false }) }

// runUntil lets d pass, or less if enough says so after a happening.
func (w *world) runUntil(d time.Duration, enough func() bool) bool {
	until := w.now + d
	for len(w.queue) > 0 && w.queue[0].at <= until {
		h := heap.Pop(&w.queue).(happening)
		w.now = h.at
		h.do()
		if enough() {
			return true
		}
	}
	w.now = until
	return false
}

func (x *node) step(e Event) {
	for _, f := range x.m.Step(x.w.now, e) {
		x.carryOut(f)
	}
	if wake := x.m.NextWake(); wake < x.woken || x.woken <= x.w.now {
		x.woken = wake
		if wake != Never {
			x.w.after(max(wake-x.w.now, 0), func() {
				if x.w.now >= x.woken {
					x.woken = Never
					x.step(Tick{})
					if x.m.NextWake() <= x.w.now {
						x.w.t.Fatalf("spin: a tick at %v asks for another at %v", x.w.now, x.m.NextWake())
					}
				}
			})
		}
	}
}

func (x *node) carryOut(f Effect) {
	w := x.w
	switch f := f.(type) {
	case SendNews:
		w.send(x, f)
	case FetchRecords:
		x.fetches++
		x.asked[f.From] = true
		w.after(2*w.transit(), func() { w.answer(x, f) })
	default:
		x.seen = append(x.seen, f)
	}
}

func (w *world) send(x *node, f SendNews) {
	if len(f.Datagram) > MaxDatagramLen {
		w.t.Fatalf("bound: a datagram of %d bytes", len(f.Datagram))
	}
	w.datagrams++
	w.bytes += len(f.Datagram) + SealLen
	to := w.byID[f.To]
	if w.rand.Float64() < w.loss || to.deaf {
		return
	}
	w.bytes += len(f.Datagram) + SealLen
	w.after(w.transit(), func() { to.step(NewsArrived{Datagram: f.Datagram}) })
}

func (w *world) answer(x *node, f FetchRecords) {
	if from := w.byID[f.From]; !from.deaf {
		for _, encoded := range from.m.Records(f.Hashes) {
			x.step(RecordArrived{From: f.From, Encoded: encoded})
		}
	}
	x.step(FetchEnded{f.From})
}

var (
	idle = Load{FreeCores: 4}
	busy = Load{}
	full = Load{Waiting: 40, Queued: 20 * time.Second}
)

func (x *node) set(l Load) {
	x.load = l
	x.step(LoadChanged{l})
}

// quiet is a cluster that has nothing to do, and has settled.
func quiet(t testing.TB, n int, seed uint64) *world {
	w := newWorld(t, n, seed)
	w.meet()
	for _, x := range w.nodes {
		x.set(idle)
	}
	w.run(40 * time.Second)
	return w
}

// rate is bytes per node and second over d, sent and received.
func (w *world) rate(d time.Duration) float64 {
	w.bytes, w.datagrams = 0, 0
	w.run(d)
	return float64(w.bytes) / float64(len(w.nodes)) / d.Seconds()
}

func quantile[T time.Duration | float64](all []T, q float64) T {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[min(int(q*float64(len(all))), len(all)-1)]
}
