package cost

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// A function is what is known of one function, or of one program.
type function struct {
	tracks []track // by peer
	usual  track   // over all peers, as it would be on a core of speed 1
	sxx    float64 // discounted: how inputs vary
	sxy    float64 // and times with them
	out    float64 // bytes of a result; discounted
	outs   float64 // samples of that
	cold   pull    // how much longer the first time at a peer takes, as a logarithm
	stay   stay
	credit float64 // to explore with
	asked  float64 // logarithm of the input that the last choice was about
	trial  trial
	looked int32 // slot up to which newcomers were looked for
}

const (
	guess      = 100 * time.Millisecond // for what was never seen
	slopePrior = 1.0                    // most of what has an input reads it once
	slopeCount = 2.0                    // what this counts for, against the squared spread of inputs
	slopeFade  = 0.99
	maxTracks  = 1024 // peers per function: those whose last sample is the oldest go
)

// slope is how the logarithm of a time grows with that of the input: 0 does not depend on it, 1 is linear. Its
// second value is the variance of that.
func (f *function) slope() (b, doubt float64) {
	b = (f.sxy + slopeCount*slopePrior) / (f.sxx + slopeCount)
	return min(max(b, 0), 2), 0.25 * slopeCount / (f.sxx + slopeCount)
}

// find returns what is known of the function at a peer; nil: nothing.
func (f *function) find(p *peer) *track {
	k, ok := f.at(p.slot)
	if !ok || f.tracks[k].born != p.born {
		return nil
	}
	return &f.tracks[k]
}

func (f *function) at(slot int32) (int, bool) {
	return slices.BinarySearchFunc(f.tracks, slot, func(t track, s int32) int { return cmp.Compare(t.peer, s) })
}

// track is that of a peer, made if need be.
func (f *function) track(p *peer) *track {
	k, ok := f.at(p.slot)
	switch {
	case ok && f.tracks[k].born == p.born:
	case ok:
		f.tracks[k] = track{peer: p.slot, born: p.born}
	default:
		if len(f.tracks) >= maxTracks {
			f.forget()
			k, _ = f.at(p.slot)
		}
		f.tracks = slices.Insert(f.tracks, k, track{peer: p.slot, born: p.born})
	}
	return &f.tracks[k]
}

// forget drops the track that has learnt nothing for the longest time.
func (f *function) forget() {
	oldest := 0
	for k := range f.tracks {
		if f.tracks[k].last < f.tracks[oldest].last {
			oldest = k
		}
	}
	f.tracks = slices.Delete(f.tracks, oldest, oldest+1)
}

// A Sample is tasks of a function that have run somewhere.
type Sample struct {
	In, Out int64         // bytes of one task; −1: not known. Then In is taken to be what the last choice was about
	Ran     time.Duration // one task, without waiting and ways
}

// learn takes in a sample of a peer.
func (f *function) learn(now time.Duration, p *peer, s Sample) {
	x, y := f.asked, logOf(s.Ran)
	if s.In >= 0 {
		x = logSize(s.In)
	}
	f.tried(p, float64(s.Ran))
	b, _ := f.slope()
	t := f.track(p)
	if t.n == 1 { // the first time includes what is done once
		first := t.y + b*(x-t.x)
		f.cold.learn(max(first-y, 0))
		if first-y > coldClear {
			t.n = 0
		}
	}
	if t.n >= 1 {
		dx, dy := x-t.x, y-t.y
		f.sxx = slopeFade*f.sxx + dx*dx
		f.sxy = slopeFade*f.sxy + dx*dy
	}
	t.learn(now, y, x, b)
	if f.usual.n >= 1 {
		p.pull.learn(f.usual.y + b*(x-f.usual.x) - y - p.announced)
	}
	f.usual.learn(now, y+p.announced, x, b)
	if s.Out >= 0 {
		f.outs = min(f.outs+1, memory)
		f.out += (float64(s.Out) - f.out) / f.outs
	}
}

// coldClear is how much longer a first time has to be, as a logarithm, not to count as a sample of the others: 1.5 times.
const coldClear = 0.4

// A view is a function seen with an input of one size: what does not depend on the peer, computed once per choice.
type view struct {
	f           *function
	x           float64
	slope       float64
	size        float64                  // doubt about the slope
	usual       float64                  // nanoseconds on a core of speed 1
	log         float64                  // of usual
	doubt, vary float64                  // of usual
	cold        float64                  // share of the run
	out         float64                  // bytes of the result
	least       [len(speedDoubt)]float64 // nanoseconds: the 90th percentile on a core of speed 1 that has not run it, by how well its speed is known
	known       bool
}

// see prepares a choice.
func (f *function) see(now time.Duration, a *Ask) view {
	v := view{f: f, x: logSize(a.In), vary: spread * spread, out: float64(a.Out)}
	if a.Out < 0 {
		v.out = f.out
	}
	v.slope, v.size = f.slope()
	switch {
	case f.usual.n > 0:
		dx := v.x - f.usual.x
		v.log, v.known = f.usual.y+v.slope*dx, true
		v.doubt, v.vary = min(f.usual.doubt(now), 0.25)+v.size*dx*dx, f.usual.variance()
	case a.Hint > 0:
		v.log, v.doubt = logOf(a.Hint), 0.25
	default:
		v.log, v.doubt = math.Log(float64(guess)), 1
	}
	v.usual = math.Exp(v.log)
	for by, doubt := range speedDoubt {
		v.least[by] = logNormal(v.usual, v.vary+v.doubt+doubt, 0).p90()
	}
	v.cold = math.Expm1(min(f.cold.of(), 3))
	return v
}

// floor is a time that the 90th percentile of the total at a peer is not below, quickly computed. Of a peer that has not run
// the function it is that of the run alone: further parts can only add to it. Of another it is the least that its mean can
// be, since a mean is at most its 90th percentile.
func (v *view) floor(a *Ask, p *peer, t *track) float64 {
	if t == nil {
		return v.least[p.by] * p.slower
	}
	run := min(v.usual*p.slower, t.mid*(1+v.slope*(v.x-t.x))) // e^z ≥ 1+z; what is believed lies between the two
	if p.Self {
		return run
	}
	return run + float64(p.RTT) + (float64(a.In)+v.out)*p.perByte
}

// run is how long the function runs at a peer, given its track there or nil.
func (v *view) run(now time.Duration, p *peer, t *track) Dist {
	if t == nil {
		doubt := v.doubt + p.doubt
		return logNormal(v.usual*p.slower, v.vary+doubt, doubt)
	}
	dx := v.x - t.x
	prior, own := v.doubt+p.doubt, t.doubt(now)+v.size*dx*dx
	own = max(own, 1e-6)
	log := (prior*(t.y+v.slope*dx) + own*(v.log-p.logSpeed)) / (prior + own)
	doubt := prior * own / (prior + own)
	return logNormal(math.Exp(log), t.variance()+doubt, doubt)
}
