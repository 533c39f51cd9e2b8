package decide

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/steal/cost"
)

const (
	peers    = 10
	usual    = 0.1   // seconds on a core of speed 1 for usualIn
	usualIn  = 100e3 // bytes
	out      = 20_000
	noise    = 0.2   // of single times, as a logarithm
	queueing = 0.04  // seconds of waiting, on average
	back     = 300.0 // seconds in which a queue forgets
	wander   = 0.02  // in a minute, as a logarithm
	jumpsIn  = 1800.0
	jump     = 0.6
	stolenIn = 10.0
)

// A peer is what is true of a candidate; 0 is the node itself.
type peer struct {
	id                string
	speed, rtt, bytes float64 // logarithms: of the speed; of seconds; of bytes a second
	queue             float64 // seconds of waiting before its own half task; below 0: a core is free
	cores             int
	announced         float64

	load cost.Load // as the node has heard it
	pace cost.Pace
}

// A Setting is what worlds differ in besides their seed.
type Setting struct {
	Drift float64 // times the usual
	News  float64 // seconds between the news of a peer, on average; 0: one
}

// A world is the node, its peers and the time.
type world struct {
	r     *rand.Rand
	set   Setting
	now   time.Duration
	peers []peer
}

func newWorld(seed uint64, set Setting) *world {
	w := &world{r: rand.New(rand.NewPCG(seed, 6)), set: set, now: time.Second}
	between := func(low, high float64) float64 {
		return math.Log(low) + w.r.Float64()*math.Log(high/low)
	}
	for k := range peers + 1 {
		p := peer{id: fmt.Sprintf("peer %d", k), speed: between(0.5, 4), rtt: between(0.0002, 0.02), bytes: between(5e6, 100e6), cores: 1 << w.r.IntN(4)}
		if k == 0 {
			p.id, p.rtt, p.cores = "here", math.Inf(-1), 2
		}
		p.announced = math.Exp(p.speed + 0.3*w.r.NormFloat64())
		p.queue = queueing * (1 + w.r.NormFloat64())
		w.peers = append(w.peers, p)
	}
	return w
}

// pass lets a second go by.
func (w *world) pass() {
	const step = 1.0
	w.now += time.Second
	d := w.set.Drift * step
	for k := range w.peers {
		p := &w.peers[k]
		for _, x := range []*float64{&p.speed, &p.rtt, &p.bytes} {
			*x += wander * math.Sqrt(d/60) * w.r.NormFloat64()
			if w.r.Float64() < d/jumpsIn {
				*x += jump * w.r.NormFloat64()
			}
		}
		p.speed = min(max(p.speed, math.Log(0.1)), math.Log(10))
		keep := math.Exp(-d / back)
		p.queue = queueing + (p.queue-queueing)*keep + queueing*math.Sqrt(1-keep*keep)*w.r.NormFloat64()
	}
}

// run is the median of how long a task runs at a peer, in seconds.
func (p *peer) run(in float64) float64 { return usual * in / usualIn / math.Exp(p.speed) }

// waits is how long it waits there.
func (p *peer) waits(in float64) float64 {
	if p.queue <= 0 {
		return 0
	}
	return p.queue + p.run(in)/2/float64(p.cores)
}

// total is the median of the whole, by the true state.
func (p *peer) total(in float64) float64 {
	t := p.waits(in) + p.run(in)
	if p.id != "here" {
		t += math.Exp(p.rtt) + (in+out)/math.Exp(p.bytes)
	}
	return t
}

// news has the node hear of the queues: they are a second old.
func (w *world) news() {
	for k := range w.peers {
		p := &w.peers[k]
		if k > 0 && w.r.Float64() > 1/max(1, w.set.News) {
			continue // what was heard is getting old
		}
		p.load = cost.Load{Heard: true, At: w.now, Queued: seconds(p.queue * float64(p.cores))}
		if p.queue <= 0 {
			p.load.Free, p.load.Queued = 1, 0
		}
	}
}

// tell tells a model what the node knows.
func (w *world) tell(m *cost.Model) {
	for k := range w.peers {
		p := &w.peers[k]
		m.Update(cost.Peer{
			ID: p.id, Self: k == 0, Kinds: []task.Kind{task.KindFunc}, Knows: true, Cores: p.cores, Machine: cost.Machine{Score: p.announced},
			RTT: seconds(math.Exp(p.rtt + 0.1*w.r.NormFloat64())), Pace: p.pace, Load: p.load,
		})
	}
}

// runs has a peer run a task, of which the model learns, and whose input and result tell the pace.
func (w *world) runs(m *cost.Model, k int, in float64) {
	p := &w.peers[k]
	ran := p.run(in) * math.Exp(noise*w.r.NormFloat64())
	m.Learn(w.now, function, p.id, cost.Sample{In: int64(in), Out: out, Ran: seconds(ran)})
	if k > 0 {
		p.pace.Learn(int64(in)+out, seconds((in+out)/math.Exp(p.bytes)*math.Exp(noise*w.r.NormFloat64())))
	}
}

const function = "work"

// size is the input of the next task.
func (w *world) size() float64 { return 10e3 * math.Pow(100, w.r.Float64()) }

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
