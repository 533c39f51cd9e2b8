package cost

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/filchsched/filch/exec/task"
)

const ms = time.Millisecond

// pair is a model of this node and some peers, each with four free cores and a round trip of a millisecond.
func pair(now time.Duration, peers ...string) *Model {
	m := New()
	for _, id := range append([]string{"here"}, peers...) {
		m.Update(Peer{
			ID: id, Self: id == "here", Kinds: []task.Kind{task.KindFunc}, Knows: true, Cores: 4, RTT: ms, Machine: Machine{Score: 1},
			Load: Load{Heard: true, Free: 4, At: now},
		})
	}
	return m
}

func (m *Model) ran(now time.Duration, peer string, in int64, took time.Duration, times int) {
	for range times {
		m.Learn(now, "f", peer, Sample{In: in, Out: -1, Ran: took})
	}
}

func askF(in int64) *Ask { return &Ask{Function: "f", Kind: task.KindFunc, In: in, Out: -1} }

func (m *Model) estimateOf(now time.Duration, peer string, a *Ask) Estimate {
	for _, e := range m.Estimates(now, a, nil) {
		if e.Peer == peer {
			return e
		}
	}
	panic("no " + peer)
}

func near(got, want time.Duration, share float64) bool {
	return math.Abs(float64(got-want)) <= share*float64(want)
}

func TestQuantilesAreThoseOfALogNormal(t *testing.T) {
	for _, s := range []float64{0.01, 0.1, 0.3, 0.5, 1, 1.2} {
		median := 50e6
		d := Dist{Mean: median * math.Exp(s*s/2)}
		d.Var = d.Mean * d.Mean * math.Expm1(s*s)
		if got := d.P50(); !near(got, 50*ms, 0.002) {
			t.Errorf("spread %v: P50 is %v", s, got)
		}
		if got, want := d.P90(), time.Duration(median*math.Exp(z90*s)); !near(got, want, 0.002) {
			t.Errorf("spread %v: P90 is %v, want %v", s, got, want)
		}
	}
	if d := (Dist{}); d.P50() != 0 || d.P90() != 0 {
		t.Errorf("nothing takes %v, %v", d.P50(), d.P90())
	}
}

// TestSumsOfParts by simulation: a queue, a way and a run.
func TestSumsOfParts(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	parts := []Dist{logNormal(10e6, 0.3, 0.3), about(5e6, 0.3), logNormal(40e6, 0.2, 0.01)}
	sum := parts[0].Add(parts[1]).Add(parts[2])
	below, median := 0, 0
	const n = 20000
	for range n {
		one := 0.0
		for _, p := range parts {
			s := p.logVar(p.Var)
			one += p.Mean * math.Exp(math.Sqrt(s)*r.NormFloat64()-s/2)
		}
		if one <= float64(sum.P90()) {
			below++
		}
		if one <= float64(sum.P50()) {
			median++
		}
	}
	if share := float64(below) / n; share < 0.88 || share > 0.92 {
		t.Errorf("%v of sums are below their P90", share)
	}
	if share := float64(median) / n; share < 0.48 || share > 0.52 {
		t.Errorf("%v of sums are below their P50", share)
	}
}

// TestEveryPartCountsOnce by a peer that has a free core: nothing but one round trip, what travels each way, and the run.
func TestEveryPartCountsOnce(t *testing.T) {
	m := pair(0, "there")
	m.ran(0, "there", 1<<20, 100*ms, 20)
	there := *m.peer("there")
	there.RTT = 80 * ms
	m.Update(there.Peer)
	a := askF(1 << 20)
	a.Out = 2 << 20
	e := m.estimateOf(0, "there", a)
	way := Way{RTT: 80 * ms}
	want := way.To(1<<20) + 100*ms + way.Back(2<<20)
	if way.To(0)+way.Back(0) != way.RTT {
		t.Errorf("both ways take %v of a round trip of %v", way.To(0)+way.Back(0), way.RTT)
	}
	if got := time.Duration(e.Total.Mean); !near(got, want, 0.06) {
		t.Errorf("counted once the parts are %v, and the total is %v", want, got)
	}
}

// TestOldSamplesLoseWeight however many there were.
func TestOldSamplesLoseWeight(t *testing.T) {
	m := pair(0, "there")
	m.ran(0, "there", 1000, 100*ms, 1000)
	now := time.Second
	for k := range 6 {
		m.ran(now, "there", 1000, 300*ms, 1)
		if got := m.estimateOf(now, "there", askF(1000)).Run.P50(); k == 5 && !near(got, 300*ms, 0.15) {
			t.Errorf("after 1,000 times 100 ms and 6 times 300 ms it is believed to take %v", got)
		}
	}
}

// TestWhatIsOldIsDoubted and not forgotten.
func TestWhatIsOldIsDoubted(t *testing.T) {
	m := pair(0, "there")
	m.ran(0, "there", 1000, 100*ms, 20)
	fresh, old := m.estimateOf(0, "there", askF(1000)), m.estimateOf(20*time.Minute, "there", askF(1000))
	if old.Run.Doubt < 4*fresh.Run.Doubt {
		t.Errorf("after 20 minutes the variance of what is believed is %v, and it was %v", old.Run.Doubt, fresh.Run.Doubt)
	}
	if !near(old.Run.P50(), 100*ms, 0.2) {
		t.Errorf("after 20 minutes it is believed to take %v", old.Run.P50())
	}
}

func TestTimesFollowInputs(t *testing.T) {
	for _, power := range []float64{0, 0.5, 1, 1.5} {
		m := pair(0, "there")
		for k := range 60 {
			in := int64(1000) << (k % 6)
			m.ran(0, "there", in, time.Duration(10e6*math.Pow(float64(in)/1000, power)), 1)
		}
		want := time.Duration(10e6 * math.Pow(200, power))
		if got := m.estimateOf(0, "there", askF(200_000)).Run.P50(); !near(got, want, 0.25) {
			t.Errorf("power %v: an input six times as long as the longest takes %v, believed is %v", power, want, got)
		}
	}
}

// TestFirstCallGoesByWhatIsAnnounced: nothing has run anywhere, and a peer four times as quick is tried for what takes long, not for
// what is over sooner than a message.
func TestFirstCallGoesByWhatIsAnnounced(t *testing.T) {
	for _, test := range []struct {
		hint time.Duration
		want string
	}{{time.Second, "there"}, {500 * time.Microsecond, "here"}} {
		m := pair(0, "there")
		m.Update(Peer{ID: "there", Kinds: []task.Kind{task.KindFunc}, Knows: true, Cores: 4, RTT: ms, Machine: Machine{Score: 8}, Load: Load{Heard: true, Free: 4, At: 1}})
		a := askF(100)
		a.Hint = test.hint
		if c := m.Choose(1, a); c.Peer != test.want {
			t.Errorf("of %v: %s, since %v\n%+v\n%+v", test.hint, c.Peer, c.Why, c.Here, c.Other)
		}
	}
}

// TestFunctionsHaveTheirOwnSpeeds: a peer that is quick at one need not be at another.
func TestFunctionsHaveTheirOwnSpeeds(t *testing.T) {
	m := pair(0, "there")
	for range 20 {
		m.Learn(0, "f", "here", Sample{Out: -1, Ran: 400 * ms})
		m.Learn(0, "f", "there", Sample{Out: -1, Ran: 100 * ms})
		m.Learn(0, "g", "here", Sample{Out: -1, Ran: 100 * ms})
		m.Learn(0, "g", "there", Sample{Out: -1, Ran: 400 * ms})
	}
	for name, want := range map[string]string{"f": "there", "g": "here"} {
		if c := m.Choose(0, &Ask{Function: name, Kind: task.KindFunc}); c.Peer != want {
			t.Errorf("%s goes %s: %v", name, c.Peer, c.Why)
		}
	}
}

// TestStaleLoadWidensAndNeverRejects: who said an hour ago that it had much to do is a candidate, and what is believed of its queue is wide.
func TestStaleLoadWidensAndNeverRejects(t *testing.T) {
	m := pair(0, "there")
	m.ran(0, "there", 0, 100*ms, 20)
	m.ran(0, "here", 0, 10*time.Second, 20)
	m.Update(Peer{ID: "there", Kinds: []task.Kind{task.KindFunc}, Knows: true, Cores: 4, RTT: ms, Machine: Machine{Score: 1}, Load: Load{Heard: true, Queued: 40 * time.Second, At: 1}})
	was := m.estimateOf(1, "there", askF(0)).Queue
	if got := time.Duration(was.Mean); !near(got, 10*time.Second, 0.05) {
		t.Errorf("40 s of work for four cores: a wait of %v", got)
	}
	spread := 0.0
	for _, age := range []time.Duration{time.Second, 5 * time.Second, 30 * time.Second, time.Minute, time.Hour} {
		e := m.estimateOf(age, "there", askF(0))
		if e.Rejected != "" {
			t.Errorf("%v old: rejected, since it %s", age, e.Rejected)
		}
		share := math.Sqrt(e.Queue.Var) / e.Queue.Mean
		if share < spread {
			t.Errorf("%v old: a spread of %.2f, and before it was %.2f", age, share, spread)
		}
		spread = share
	}
	m.ran(time.Hour, "there", 0, 100*ms, 20)
	m.ran(time.Hour, "here", 0, 10*time.Second, 20)
	if c := m.Choose(time.Hour, askF(0)); c.Peer != "there" {
		t.Errorf("what was said an hour ago keeps it from %+v", c.Other)
	}
}

// TestNextOneKnowsOfTheLast: five tasks at once do not all go to the one free core.
func TestNextOneKnowsOfTheLast(t *testing.T) {
	m := pair(0, "a", "b")
	for _, id := range []string{"a", "b"} {
		m.Update(Peer{ID: id, Kinds: []task.Kind{task.KindFunc}, Knows: true, Cores: 1, RTT: ms, Machine: Machine{Score: 1}, Load: Load{Heard: true, Free: 1, At: 1}})
		m.ran(1, id, 0, 100*ms, 20)
	}
	m.ran(1, "here", 0, 2*time.Second, 20)
	went := map[string]int{}
	for range 8 {
		went[m.Choose(1, askF(0)).Peer]++
	}
	if went["a"] < 3 || went["b"] < 3 {
		t.Errorf("they went to %v", went)
	}
}

// TestMovesOnlyIfItGains a fifth, or a tenth of what is well known, and two round trips, and if it is likely.
func TestMovesOnlyIfItGains(t *testing.T) {
	for _, test := range []struct {
		here, there, rtt time.Duration
		samples          int
		why              Why
		goes             string
	}{
		{100 * ms, 92 * ms, 100 * time.Microsecond, 20, TooLittle, "here"},
		{100 * ms, 84 * ms, 100 * time.Microsecond, 20, Best, "there"},
		{100 * ms, 84 * ms, 100 * time.Microsecond, 9, TooLittle, "here"},
		{100 * ms, 60 * ms, 100 * time.Microsecond, 20, Best, "there"},
		{100 * ms, 60 * ms, 18 * ms, 20, TooLittle, "here"}, // 22 ms are not two round trips
		{200 * ms, 60 * ms, 15 * ms, 20, Best, "there"},
		{100 * ms, 100 * ms, 0, 20, Best, "here"},
	} {
		m := pair(0)
		m.Update(Peer{ID: "there", Kinds: []task.Kind{task.KindFunc}, Knows: true, Cores: 4, RTT: max(test.rtt, 1), Machine: Machine{Score: 1}, Load: Load{Heard: true, Free: 4, At: 1}})
		m.ran(1, "here", 0, test.here, test.samples)
		m.ran(1, "there", 0, test.there, test.samples)
		if c := m.Choose(1, askF(0)); c.Peer != test.goes || c.Why != test.why {
			t.Errorf("%v here, %v there, round trip %v: %s, since %v (margin %v, confidence %.2f)", test.here, test.there, test.rtt, c.Peer, c.Why, c.Margin, c.Confidence)
		}
	}
}

// TestMovesOnlyIfLikely: what was seen half an hour ago is no reason to leave for a third.
func TestMovesOnlyIfLikely(t *testing.T) {
	for _, test := range []struct {
		at   time.Duration
		why  Why
		goes string
	}{{1, Best, "there"}, {30 * time.Minute, TooUnsure, "here"}} {
		m := pair(test.at, "there")
		m.ran(1, "here", 0, 100*ms, 20)
		m.ran(1, "there", 0, 66*ms, 20)
		if c := m.Choose(test.at, askF(0)); c.Peer != test.goes || c.Why != test.why {
			t.Errorf("after %v: %s, since %v (margin %v, confidence %.2f)", test.at, c.Peer, c.Why, c.Margin, c.Confidence)
		}
	}
}

// TestStaysForAFewRuns after a move, unless it has become much worse.
func TestStaysForAFewRuns(t *testing.T) {
	m := pair(0, "a", "b")
	m.ran(0, "here", 0, time.Second, 20)
	m.ran(0, "a", 0, 100*ms, 20)
	m.ran(0, "b", 0, 112*ms, 20)
	if c := m.Choose(0, askF(0)); c.Peer != "a" {
		t.Fatalf("%s: %v", c.Peer, c.Why)
	}
	m.ran(1, "b", 0, 95*ms, 80)
	var went []string
	for range 4 {
		m.functions["f"].credit = 0
		for k := range m.peers {
			m.peers[k].placed = 0
		}
		went = append(went, m.Choose(1, askF(0)).Peer)
	}
	if fmt.Sprint(went) != "[a a b b]" {
		t.Errorf("it goes to %v", went)
	}
}

// TestTrialsHaveABudget: with a hundred newcomers whose announced speed promises nothing, trials take about a twentieth of the time.
func TestTrialsHaveABudget(t *testing.T) {
	names := make([]string, 100)
	for k := range names {
		names[k] = fmt.Sprintf("p%02d", k)
	}
	m := pair(0, names...)
	m.ran(0, "here", 0, 100*ms, 20)
	now, tried, lost := time.Duration(0), map[string]bool{}, time.Duration(0)
	const runs = 1000
	for range runs {
		now += time.Second
		for id := range m.slots {
			p := *m.peer(id)
			p.Load.At = now
			m.Update(p.Peer)
		}
		c := m.Choose(now, askF(0))
		took := 100 * ms
		if c.Why == Explores {
			tried[c.Peer], took = true, 200*ms
			lost += 100 * ms
		}
		m.ran(now, c.Peer, 0, took, 1)
	}
	if len(tried) < 50 {
		t.Errorf("of 100 newcomers %d were tried", len(tried))
	}
	if share := float64(lost) / float64(runs*100*ms); share > 0.07 {
		t.Errorf("trials took %.2f of the time", share)
	}
}

func TestConstraints(t *testing.T) {
	base := Peer{ID: "there", Kinds: []task.Kind{task.KindFunc}, Knows: true, Cores: 4, Memory: 1 << 30, RTT: ms, Machine: Machine{Score: 1}, Zone: "z1", Labels: []string{"gpu=yes"}, Load: Load{Heard: true, Free: 4, At: 1}}
	for _, test := range []struct {
		peer func(*Peer)
		ask  func(*Ask)
		want string
	}{
		{nil, nil, ""},
		{func(p *Peer) { p.Away = "it does not answer" }, nil, "it does not answer"},
		{nil, func(a *Ask) { a.Local = true }, RejectedLocal},
		{nil, func(a *Ask) { a.On = []string{"here"} }, RejectedOn},
		{nil, func(a *Ask) { a.Avoid = []string{"there"} }, RejectedAvoid},
		{nil, func(a *Ask) { a.Zones = []string{"z2", ""} }, RejectedZone},
		{nil, func(a *Ask) { a.Zones = []string{"z1", ""} }, ""},
		{nil, func(a *Ask) { a.Require = []string{"gpu=no"} }, RejectedLabel},
		{nil, func(a *Ask) { a.Require = []string{"gpu=yes"} }, ""},
		{nil, func(a *Ask) { a.Needs.Memory = 2 << 30 }, RejectedMemory},
		{nil, func(a *Ask) { a.Needs.Cores = 5 }, RejectedCores},
		{func(p *Peer) { p.Kinds = nil }, nil, RejectedKind},
		{func(p *Peer) { p.Knows = false }, func(a *Ask) { a.Function = "g" }, RejectedFunction},
		{func(p *Peer) { p.Knows = false }, nil, ""}, // it has run it
		{nil, func(a *Ask) { a.Deadline = 20 * ms }, RejectedDeadline},
	} {
		m, p, a := pair(0), base, askF(0)
		if test.peer != nil {
			test.peer(&p)
		}
		if test.ask != nil {
			test.ask(a)
		}
		m.Update(p)
		m.ran(1, "there", 0, 100*ms, 20)
		m.ran(1, "here", 0, time.Second, 20)
		c, e := m.Choose(1, a), m.estimateOf(1, "there", a)
		if e.Rejected != test.want {
			t.Errorf("%+v: rejected since it %q, want %q", a, e.Rejected, test.want)
		}
		if there := c.Peer == "there"; there != (test.want == "") && test.want != RejectedDeadline {
			t.Errorf("%+v: it goes %q, since %v", a, c.Peer, c.Why)
		}
		if test.want == RejectedDeadline && c.Why != Hurries {
			t.Errorf("nobody meets the deadline: %q, since %v", c.Peer, c.Why)
		}
	}
}

// TestEnergyHasAPrice: a machine on a battery sends away what it would not otherwise.
func TestEnergyHasAPrice(t *testing.T) {
	for _, test := range []struct {
		energy float64
		want   string
	}{{0, "here"}, {1, "there"}} {
		m := pair(0, "there")
		m.ran(0, "here", 0, 100*ms, 20)
		m.ran(0, "there", 0, 95*ms, 20)
		a := askF(0)
		a.Energy = test.energy
		if c := m.Choose(0, a); c.Peer != test.want {
			t.Errorf("at %v it goes %s, since %v", test.energy, c.Peer, c.Why)
		}
	}
}

// TestReportsTeach where no outcome tells how long a task ran, and the error is told.
func TestReportsTeach(t *testing.T) {
	m := pair(0, "there")
	for k := range 30 {
		now := time.Duration(k) * time.Second
		c := m.Choose(now, askF(0))
		took := 150 * ms
		if !c.Local {
			took = 31 * ms // a millisecond of which is the way
		}
		m.Report(now, &Report{Ask: *askF(0), Expected: c.Chosen, Took: took})
	}
	if c := m.Choose(time.Minute, askF(0)); c.Peer != "there" || !near(c.Chosen.Total.P50(), 31*ms, 0.2) {
		t.Errorf("it goes %s, for %v", c.Peer, c.Chosen.Total.P50())
	}
	if a := m.Accuracy(); a.Reports != 30 || a.Ratio <= 0 || a.Ratio > 1 {
		t.Errorf("the error is told as %+v", a)
	}
}

// TestChooseAllocatesNothing in the long run.
func TestChooseAllocatesNothing(t *testing.T) {
	m := crowd(200)
	a := askF(3000)
	now := 2 * time.Second
	if n := testing.AllocsPerRun(100, func() { now += ms; m.Choose(now, a) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestChoiceIsTheBestOfTheEstimates: what is left out for speed is never the best.
func TestChoiceIsTheBestOfTheEstimates(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		m := crowd(50 + r.IntN(50))
		for range r.IntN(300) {
			m.Learn(time.Duration(r.Int64N(int64(time.Second))), "f", fmt.Sprintf("peer-%04d", r.IntN(100)), Sample{In: r.Int64N(1 << 20), Out: 10, Ran: time.Duration(r.Int64N(int64(time.Second)))})
		}
		now := time.Second + time.Duration(r.Int64N(int64(time.Minute)))
		a := &Ask{Function: "f", Kind: task.KindFunc, In: r.Int64N(1 << 22), Out: -1, Energy: r.Float64()}
		best := m.Estimates(now, a, nil)[0]
		f := m.function("f")
		s := search{m: m, f: f, a: a, now: now, view: f.see(now, a)}
		if s.all(true); s.best.Peer != best.Peer {
			t.Fatalf("seed %d: %s is the best, found was %s", seed, best.Peer, s.best.Peer)
		}
	}
}

// TestWhoLeavesIsForgotten, and a newcomer in its place does not inherit.
func TestWhoLeavesIsForgotten(t *testing.T) {
	m := pair(0, "a")
	m.ran(0, "a", 0, time.Second, 20)
	here := *m.peer("here")
	m.Meet([]Peer{here.Peer, {ID: "b", Kinds: []task.Kind{task.KindFunc}, Knows: true, Cores: 4}})
	if e := m.estimateOf(0, "b", askF(0)); e.Samples != 0 || m.peer("a") != nil {
		t.Errorf("b has %d samples; a is %v", e.Samples, m.peer("a"))
	}
}
