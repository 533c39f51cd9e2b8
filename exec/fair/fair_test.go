package fair

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

const slice = 2 * time.Millisecond

func TestWeightsAreTheKernels(t *testing.T) {
	for nice, want := range map[int]int64{-20: 88761, -1: 1277, 0: 1024, 1: 820, 19: 15} {
		if got, err := WeightOf(nice); got != want || err != nil {
			t.Errorf("nice %d: %d, %v; want %d", nice, got, err, want)
		}
	}
	for n := NiceMin; n < NiceMax; n++ {
		a, _ := WeightOf(n)
		b, _ := WeightOf(n + 1)
		if r := float64(a) / float64(b); r < 1.15 || r > 1.36 {
			t.Errorf("nice %d to %d: a factor of %.3f", n, n+1, r)
		}
	}
	for _, n := range []int{-21, 20, math.MaxInt, math.MinInt} {
		if _, err := WeightOf(n); err == nil {
			t.Errorf("nice %d was accepted", n)
		}
	}
}

// model runs q with workers that each use what use says of their turn, and
// returns the service of each job after the given number of turns.
func model(q *Queue, workers, turns int, use func(*Job) time.Duration) map[*Job]time.Duration {
	type running struct {
		turn Turn
		used time.Duration
		ends time.Duration
	}
	service := map[*Job]time.Duration{}
	var out []running
	now := time.Duration(0)
	for range turns {
		for len(out) < workers {
			t, ok := q.Take()
			if !ok {
				break
			}
			u := use(t.Job)
			out = append(out, running{t, u, now + u})
		}
		if len(out) == 0 {
			break
		}
		first := 0
		for i := range out {
			if out[i].ends < out[first].ends {
				first = i
			}
		}
		r := out[first]
		now = r.ends
		service[r.turn.Job] += r.used
		q.Settle(r.turn, r.used)
		out = append(out[:first], out[first+1:]...)
	}
	for _, r := range out {
		q.Settle(r.turn, 0)
	}
	return service
}

func wanting(g *Group, weight int64, limit int) *Job {
	j := g.NewJob(weight, limit)
	j.SetWant(true)
	return j
}

func TestPayingUpFrontSpreadsWorkers(t *testing.T) {
	q := NewQueue(slice)
	var jobs []*Job
	for range 4 {
		jobs = append(jobs, wanting(q.Root(), unit, 0))
	}
	got := map[*Job]int{}
	for range 8 {
		turn, _ := q.Take()
		got[turn.Job]++
	}
	for i, j := range jobs {
		if got[j] != 2 {
			t.Errorf("job %d has %d of 8 turns that were taken at once", i, got[j])
		}
	}
}

func TestRefundAndTopUpAreExact(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	rng := rand.New(rand.NewPCG(seed, 3))
	q := NewQueue(slice)
	tenants := []*Group{q.Root().NewGroup(15), q.Root().NewGroup(88761)}
	var jobs []*Job
	for i := range 6 {
		jobs = append(jobs, wanting(tenants[i%2], niceWeights[rng.IntN(40)], rng.IntN(4)))
	}
	var out []Turn
	used := map[*Job]time.Duration{}
	for range 20000 {
		switch k := rng.IntN(10); {
		case k < 4:
			if turn, ok := q.Take(); ok {
				out = append(out, turn)
			}
		case k < 5 && len(out) > 0:
			q.TopUp(&out[rng.IntN(len(out))], time.Duration(rng.IntN(1e7)))
		case k < 6 && len(out) > 0:
			i := rng.IntN(len(out))
			u := time.Duration(rng.IntN(1e7))
			used[out[i].Job] += u
			if !q.Renew(&out[i], u) {
				out = append(out[:i], out[i+1:]...)
			}
		case k < 9 && len(out) > 0:
			i := rng.IntN(len(out))
			u := time.Duration(rng.IntN(1e7))
			used[out[i].Job] += u
			q.Settle(out[i], u)
			out = append(out[:i], out[i+1:]...)
		default:
			j := jobs[rng.IntN(len(jobs))]
			j.SetWant(!j.Want())
			j.SetUsual(time.Duration(rng.IntN(1e7)))
		}
		ahead := int64(0)
		for _, turn := range out {
			ahead += turn.paid
		}
		if q.TurnsOut() != len(out) || q.ahead != ahead {
			t.Fatalf("seed %d: paid-ahead charges equal outstanding turns: %d turns and %d ns, want %d and %d", seed, q.TurnsOut(), q.ahead, len(out), ahead)
		}
		for i, j := range jobs {
			if j.Service() != used[j] {
				t.Fatalf("seed %d: job %d has had %v, want %v", seed, i, j.Service(), used[j])
			}
			if want := j.Want() && (j.limit == 0 || j.out < j.limit); j.Queued() != want {
				t.Fatalf("seed %d: job %d queued: %v, want %v", seed, i, j.Queued(), want)
			}
		}
		checkHeap(t, &q.root, seed)
		if rng.IntN(50) == 0 {
			tenants[rng.IntN(2)].SetWeight(niceWeights[rng.IntN(40)])
		}
		sum, here := 0.0, false
		for _, j := range jobs {
			sum += j.Share()
			here = here || !j.away
		}
		if here && math.Abs(sum-1) > 1e-9 || !here && sum != 0 {
			t.Fatalf("seed %d: the shares of the jobs that are there add up to %v", seed, sum)
		}
	}
}

func checkHeap(t *testing.T, g *Group, seed uint64) {
	t.Helper()
	for i, e := range g.heap {
		if e.pos != i || e.away {
			t.Fatalf("seed %d: a queued entity at %d says %d, away %v", seed, i, e.pos, e.away)
		}
		if i > 0 && g.less(i, (i-1)/2) {
			t.Fatalf("seed %d: the heap is out of order at %d", seed, i)
		}
		if e.group != nil {
			if len(e.group.heap) == 0 {
				t.Fatalf("seed %d: an empty group is queued", seed)
			}
			checkHeap(t, e.group, seed)
		}
	}
}

func TestSharesFollowWeightsAtEveryLevel(t *testing.T) {
	q := NewQueue(slice)
	a, b := q.Root().NewGroup(3*unit), q.Root().NewGroup(unit)
	jobs := []*Job{wanting(a, 2*unit, 0), wanting(a, unit, 0), wanting(b, unit, 0)}
	want := []float64{0.5, 0.25, 0.25}
	rng := rand.New(rand.NewPCG(1, 1))
	got := model(q, 16, 50000, func(*Job) time.Duration { return time.Duration(1 + rng.IntN(int(2*slice))) })
	total := time.Duration(0)
	for _, s := range got {
		total += s
	}
	for i, j := range jobs {
		if r := float64(got[j]) / float64(total); math.Abs(r-want[i]) > 0.005 {
			t.Errorf("job %d had %.4f of the time, want %.2f", i, r, want[i])
		}
	}
}

// A stream of one-task jobs must not keep an old job of the same tenant out:
// each newborn owes a slice.
func TestNewbornsDoNotStarveTheOld(t *testing.T) {
	q := NewQueue(slice)
	old := wanting(q.Root(), unit, 0)
	wanting(q.Root(), unit, 1)
	service := time.Duration(0)
	for range 10000 {
		turn, _ := q.Take()
		q.Settle(turn, slice)
		if turn.Job == old {
			service += slice
			continue
		}
		turn.Job.SetWant(false) // its one task has run: the next one is born
		wanting(q.Root(), unit, 1)
	}
	if r := float64(service) / float64(10000*slice); r < 0.3 {
		t.Errorf("beside a stream of newborns an old job had %.3f of the time", r)
	}
}

func TestAbsenceEarnsNoCreditAndPaysDebt(t *testing.T) {
	q := NewQueue(slice)
	others := []*Job{wanting(q.Root(), unit, 0), wanting(q.Root(), unit, 0)}
	guest := wanting(q.Root(), unit, 0)
	use := func(n int) (got int) {
		for range n {
			turn, _ := q.Take()
			if turn.Job == guest {
				got++
			}
			q.Settle(turn, slice)
		}
		return got
	}
	use(300)
	guest.SetWant(false)
	use(10000) // it sleeps
	guest.SetWant(true)
	if got := use(30); got < 9 || got > 12+creditSlices {
		t.Errorf("after a long sleep it had %d of the next 30 turns, want about 10", got)
	}
	// It overruns by 100 slices, leaves, and comes back at once: it waits.
	turn := q.TakeFor(guest)
	guest.SetWant(false)
	q.Settle(turn, 100*slice)
	guest.SetWant(true)
	if got := use(150); got != 0 {
		t.Errorf("with a debt of 100 slices it had %d of the next 150 turns of three", got)
	}
	// It overruns again and stays away for as long as it owes.
	turn = q.TakeFor(guest)
	guest.SetWant(false)
	q.Settle(turn, 100*slice)
	use(1000)
	guest.SetWant(true)
	if got := use(30); got < 9 || got > 12+creditSlices {
		t.Errorf("after its absence has paid the debt it had %d of the next 30 turns, want about 10", got)
	}
	_ = others
}

// A job that can suddenly use more than its few workers does not bring the
// credit of the time in which it could not.
func TestNarrowTimesEarnNoCredit(t *testing.T) {
	q := NewQueue(slice)
	wide := wanting(q.Root(), unit, 0)
	narrow := wanting(q.Root(), unit, 1)
	model(q, 8, 20000, func(*Job) time.Duration { return slice })
	narrow.limit = 0
	narrow.SetWant(true)
	got := model(q, 8, 800, func(*Job) time.Duration { return slice })
	if r := float64(got[narrow]) / float64(got[narrow]+got[wide]); r > 0.53 {
		t.Errorf("it has %.3f of the time, want half", r)
	}
}

func TestVirtualTimeWrapsAround(t *testing.T) {
	q := NewQueue(slice)
	q.root.floor = math.MaxInt64 - int64(50*slice)
	a, b := wanting(q.Root(), unit, 0), wanting(q.Root(), unit, 0)
	got := model(q, 3, 2000, func(*Job) time.Duration { return slice })
	if got[a]-got[b] > 4*slice || got[b]-got[a] > 4*slice || a.v > 0 {
		t.Errorf("across the wrap: %v and %v, v %d", got[a], got[b], a.v)
	}
}

func TestRenewKeepsTheLeastAndEndsTheOthers(t *testing.T) {
	q := NewQueue(slice)
	a := wanting(q.Root(), unit, 0)
	turn, _ := q.Take()
	for range 5 {
		if !q.Renew(&turn, slice) {
			t.Fatal("alone, it must go on")
		}
	}
	wanting(q.Root(), unit, 0)
	renewed := 0
	for q.Renew(&turn, slice) {
		renewed++
	}
	if renewed > creditSlices+1 {
		t.Errorf("it went on %d times beside one that had had nothing", renewed)
	}
	if q.TurnsOut() != 0 || turn.Paid() != 0 || turn.Job != a {
		t.Errorf("%d turns out, %v paid", q.TurnsOut(), turn.Paid())
	}
}

func TestSettlingTwiceIsCaught(t *testing.T) {
	q := NewQueue(slice)
	wanting(q.Root(), unit, 0)
	turn, _ := q.Take()
	q.Settle(turn, 0)
	defer func() {
		if recover() == nil {
			t.Error("a turn was settled twice")
		}
	}()
	q.Settle(turn, 0)
}

func BenchmarkTakeSettle(b *testing.B) {
	q := NewQueue(slice)
	for i := range 100 {
		wanting(q.Root(), niceWeights[i%40], 0)
	}
	for b.Loop() {
		turn, _ := q.Take()
		q.Settle(turn, slice/2)
	}
}
