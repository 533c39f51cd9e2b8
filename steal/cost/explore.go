package cost

import "math"

// Who is new is tried. What is believed of a peer where a function has not run comes from what the peer announces; only
// running there tells. So each decision earns a little credit, and a trial costs as much of that as it is
// expected to be worse than the choice it displaces: exploring costs at most earned of all time, however many
// newcomers there are, and nothing where a newcomer looks best anyway. (Exploring newcomers, normalising by
// input size: ALTO, arXiv 1901.05205.)

const (
	earned    = 0.05 // of the time of a decision
	maxCredit = 1.0  // of the time of a decision
	trialCost = 0.1  // at least, so that trials are some way apart
	tooFar    = 3.0  // times as long as the choice is too much for any trial
	unknown   = 2.0  // samples below which a peer is a newcomer
	doubtful  = 0.25 // variance of the logarithm of the mean above which one that was known is as good as new
	hopeful   = 1.5  // standard deviations

	trialWindow = 64 // peers that are looked at for newcomers in one choice
)

// window is which slots are looked at for newcomers this time, if a trial could be paid: some, and others next time, so that
// a choice among many costs no more.
func (s *search) window() (from, to int32) {
	if s.f.credit < trialCost || s.late {
		return 0, 0
	}
	if from = s.f.looked; from >= int32(len(s.m.peers)) {
		from = 0
	}
	s.f.looked = from + trialWindow
	return from, s.f.looked
}

func (f *function) earn() { f.credit = min(f.credit+earned, maxCredit) }

// newcomer tells whether a trial would teach something.
func newcomer(t *track, run Dist) bool {
	return t == nil || t.n < unknown || run.Doubt > doubtful*run.Mean*run.Mean
}

// hope is what a candidate takes if what is not known of it turns out well.
func (d Dist) hope() float64 { return d.Mean - hopeful*math.Sqrt(d.Doubt) }

// tries tells whether the newcomer with the best hope is tried in the place of the choice, and pays for it.
func (s *search) tries(chosen *Estimate) bool {
	if s.try.slot < 0 || s.try.slot == chosen.slot {
		return false
	}
	best, worst := chosen.Total.Mean, s.try.Total.Mean
	if s.hope >= best || worst > tooFar*best {
		return false
	}
	price := max(trialCost, (worst-best)/best)
	if price > s.f.credit {
		return false
	}
	s.f.credit -= price
	s.f.trial = trial{s.try.slot, s.m.peers[s.try.slot].born, chosen.Run.Mean, price}
	return true
}

// A trial is under way: what the choice that it displaced would have taken to run, and what was paid.
type trial struct {
	peer  int32 // slot; −1: none
	born  uint32
	base  float64 // nanoseconds
	price float64
}

// tried settles a trial by what it has really cost. The credit may become a debt.
func (f *function) tried(p *peer, ran float64) {
	t := &f.trial
	if t.peer != p.slot || t.born != p.born {
		return
	}
	if more := ran/max(t.base, 1) - 1 - t.price; more > 0 {
		f.credit = max(f.credit-more, -maxDebt)
	}
	t.peer = -1
}

// maxDebt bounds what one bad trial does to those after it.
const maxDebt = 5.0
