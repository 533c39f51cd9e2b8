package core

import "time"

// estimates are kept per function: the mean of run times, exponentially weighted,
// and their 90th percentile, found by stochastic approximation: a step up of 9
// for each sample above, a step down of 1 for each below, in units of a fraction
// of the mean.
type estimates struct {
	by  map[string]*estimate // who were learnt of lately
	old map[string]*estimate // and before: when by is full it takes the place of old, which is forgotten
}

type estimate struct {
	mean, p90 time.Duration
	samples   uint64
	out       int64 // bytes of one task's result
}

const (
	estimateWeight = 8  // a new sample counts an eighth
	p90Step        = 50 // a step is a fiftieth of the mean
	guess          = 100 * time.Millisecond
	maxEstimate    = 7 * 24 * time.Hour // what takes longer counts as this: sums over all cores of a machine are to be numbers
	maxFunctions   = 4096               // names that are remembered: of twice as many, those learnt of last
)

func (e *estimates) init() { e.by = make(map[string]*estimate) }

// learn takes in that n tasks of a function ran for a time, together.
func (e *estimates) learn(name string, ran time.Duration, n uint64) {
	if n == 0 {
		return
	}
	each := min(max(ran/time.Duration(min(n, 1<<32)), 0), maxEstimate) // it is a peer's word
	s := e.renew(name)
	if s.samples++; s.samples == 1 {
		s.mean, s.p90 = each, each
		return
	}
	s.mean += (each - s.mean) / estimateWeight
	step := max(s.mean/p90Step, 1)
	if each > s.p90 {
		s.p90 += 9 * step
	} else {
		s.p90 = max(s.p90-step, s.mean)
	}
}

// find returns what is known of a function; nil: nothing.
func (e *estimates) find(name string) *estimate {
	if s := e.by[name]; s != nil {
		return s
	}
	return e.old[name]
}

// renew puts a function among those that were learnt of lately.
func (e *estimates) renew(name string) *estimate {
	if s := e.by[name]; s != nil {
		return s
	}
	s := e.old[name]
	if s == nil {
		s = new(estimate)
	}
	if len(e.by) >= maxFunctions {
		e.old, e.by = e.by, make(map[string]*estimate)
	}
	e.by[name] = s
	return s
}

// of is what one task takes: our own experience, else what its home says, else a guess.
func (e *estimates) of(t *Terms) time.Duration {
	switch s := e.find(t.Name); {
	case s != nil:
		return max(s.mean, time.Microsecond)
	case t.Estimate > 0:
		return min(t.Estimate, maxEstimate)
	}
	return guess
}

// known is how many samples there are of a function.
func (e *estimates) known(name string) uint64 {
	if s := e.find(name); s != nil {
		return s.samples
	}
	return 0
}

// work is what n tasks take together, as far as it can be told.
func (e *estimates) work(t *Terms, n uint64) time.Duration {
	each := e.of(t)
	return each * time.Duration(min(n, uint64(maxWork/each)))
}

// maxWork is the most that one sum of estimates can be.
const maxWork = 1 << 60 * time.Nanosecond

// p90 is what nine of ten tasks of a function do not exceed; 0 when nothing is known.
func (e *estimates) p90(name string) time.Duration {
	if s := e.find(name); s != nil {
		return s.p90
	}
	return 0
}

// learnBytes takes in how long the results of n tasks were together.
func (e *estimates) learnBytes(name string, bytes int64, n uint64) {
	if s := e.find(name); s != nil && n > 0 {
		s.out += (bytes/int64(n) - s.out) / estimateWeight
	}
}

// outBytes is what travels back for one task.
func (e *estimates) outBytes(t *Terms) int64 {
	out := int64(t.OutBytes)
	if s := e.find(t.Name); s != nil {
		out = max(out, s.out)
	}
	return out
}

// learnOf lets home learn from what others ran, as long as they hold it: late and
// doubled outcomes are of those that are slow.
func (c *Core) learnOf(d *downlink, o *Outcome) {
	j := c.jobs[o.Job]
	if j == nil || o.Len() == 0 || o.Ran <= 0 || o.Host == c.cfg.ID || !d.covers(o.Piece) {
		return
	}
	c.est.learn(j.terms.Name, o.Ran, o.Len())
	bytes := int64(0)
	for _, v := range o.Values {
		bytes += int64(len(v))
	}
	c.est.learnBytes(j.terms.Name, bytes, o.Len())
}
