package cost

import "time"

// How long a task waits for a core. What a peer has said of that is true for the moment when it said so. From
// then on its queue moves towards what it usually is (a mean-reverting walk), and what is believed becomes
// wide. It never becomes a reason not to choose a peer.

// waits is what a peer's queue usually is, per core.
type waits struct {
	n, mean, v float64
}

const (
	waitsMemory = 50
	stale       = 20 * time.Second // after which half of what a peer said is what it usually says
	saidSpread  = 0.2              // of what it says, as a share: its own estimates are none better
)

// hear takes in what a peer has said.
func (w *waits) hear(l Load, cores int) {
	each := 0.0
	if l.Free <= 0 {
		each = float64(l.Queued) / float64(max(1, cores))
	}
	w.learn(each)
}

// learn takes in a wait, in nanoseconds.
func (w *waits) learn(wait float64) {
	w.n = min(w.n+1, waitsMemory)
	d := wait - w.mean
	w.mean += d / w.n
	w.v += (d*d*(1-1/w.n) - w.v) / w.n
}

// queue is how long a task that takes run waits at a peer.
func (p *peer) queue(now time.Duration, run float64) Dist {
	usual, spread := p.usually(run)
	if !p.Load.Heard {
		return Dist{usual, spread, spread}
	}
	said := p.said(now, run)
	age := max(0, float64(now-p.Load.At))
	keep := float64(stale) / (float64(stale) + age)
	v := keep*said*said*saidSpread*saidSpread + (1-keep)*spread + keep*(1-keep)*(said-usual)*(said-usual)
	return Dist{keep*said + (1-keep)*usual, v, v}
}

// usually is what a peer's queue is when nothing newer is known, and the variance of that.
func (p *peer) usually(run float64) (mean, variance float64) {
	const prior = 2.0
	w := &p.waits
	count := 1 / (prior + w.n)
	mean = (prior*run/4 + w.n*w.mean) * count
	variance = (prior*run*run/4 + w.n*w.v) * count
	return mean, variance + 2*w.mean*w.mean*count // a few that are alike do not make a rule
}

// said is what follows from what the peer has said, and from what was placed there since.
func (p *peer) said(now time.Duration, run float64) float64 {
	cores := float64(max(1, p.Cores))
	placed := max(0, p.placed-cores*float64(now-p.placedAt))
	if free := float64(p.Load.Free) * run; p.Load.Free > 0 {
		if placed < free {
			return 0
		}
		return (placed - free + run) / cores
	}
	wait := (float64(p.Load.Queued) + placed) / cores
	return wait + float64(Ahead(time.Duration(run)))/cores
}

// place notes that a task was sent to a peer, so that the next one does not take the same free core: what
// the peer says comes later.
func (p *peer) place(now time.Duration, run float64) {
	cores := float64(max(1, p.Cores))
	p.placed = max(0, p.placed-cores*float64(now-p.placedAt)) + run
	p.placedAt = now
}
