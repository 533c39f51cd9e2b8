package line

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

const ms = time.Millisecond

// arrivals are the times at which everything that is under way arrives.
func arrivals(l *Line) (at []time.Duration) {
	for {
		next, ok := l.Next()
		if !ok {
			return at
		}
		if l.Take(next-1) != nil {
			panic("a packet is early")
		}
		for l.Take(next) != nil {
			at = append(at, next)
		}
	}
}

func equal(t *testing.T, what string, got []time.Duration, want ...time.Duration) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %v, want %v", what, got, want)
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("%s: %v, want %v", what, got, want)
		}
	}
}

func TestPacketsTravelForTheDelay(t *testing.T) {
	l := New(Shape{Delay: 40 * ms}, nil)
	l.Put(0, make([]byte, 1000))
	l.Put(0, make([]byte, 1))
	l.Put(7*ms, make([]byte, 1))
	equal(t, "arrivals", arrivals(l), 40*ms, 40*ms, 47*ms)
}

func TestPacketsAreSentAtTheRate(t *testing.T) {
	l := New(Shape{Delay: 10 * ms, Rate: 8_000_000}, nil) // a byte each microsecond
	for range 3 {
		l.Put(0, make([]byte, 1000))
	}
	l.Put(20*ms, make([]byte, 500)) // the line has been idle since 3 ms: it saved nothing up
	equal(t, "arrivals", arrivals(l), 11*ms, 12*ms, 13*ms, 30*ms+500*time.Microsecond)
}

func TestAFullQueueDrops(t *testing.T) {
	l := New(Shape{Rate: 8_000_000, Queue: 2500}, nil)
	for k, want := range []bool{true, true, false} {
		if got := l.Put(0, make([]byte, 1000)); got != want {
			t.Errorf("packet %d: %v", k, got)
		}
	}
	if !l.Put(0, make([]byte, 500)) {
		t.Error("a short one that fits is dropped")
	}
	if !l.Put(1*ms, make([]byte, 1000)) {
		t.Error("there is room again after a millisecond")
	}
	if c := l.Counts(); c.Full != 1 {
		t.Errorf("%+v", c)
	}
}

func TestSoManyAreLost(t *testing.T) {
	const n, loss = 100_000, 0.03
	l := New(Shape{Loss: loss}, rand.New(rand.NewPCG(1, 2)))
	for k := range n {
		l.Put(time.Duration(k), make([]byte, 1))
	}
	got := len(arrivals(l))
	c := l.Counts()
	if share := float64(c.Lost) / n; math.Abs(share-loss) > 0.005 || int64(got) != c.Passed || c.Passed+c.Lost != n {
		t.Errorf("%d arrived, %+v", got, c)
	}
}

// TestALineKeepsOrderAndRate: whatever comes in, what comes out is in order, whole, not before its time and
// not faster than the rate; and the same seed gives the same.
func TestALineKeepsOrderAndRate(t *testing.T) {
	for seed := range uint64(50) {
		first := wander(t, seed)
		if again := wander(t, seed); first != again {
			t.Fatalf("seed %d gives %+v and %+v", seed, first, again)
		}
	}
}

func wander(t *testing.T, seed uint64) Counts {
	rng := rand.New(rand.NewPCG(seed, 0))
	s := Shape{Delay: time.Duration(rng.IntN(100)) * ms, Loss: rng.Float64() / 10, Rate: int64(rng.IntN(20)) * 1_000_000, Queue: 1 + rng.IntN(200_000)}
	l := New(s, rng)
	type sent struct {
		at   time.Duration
		size int
		mark byte
	}
	var expected []sent
	var now time.Duration
	var line time.Duration // when the line was last busy
	for k := range 2000 {
		now += time.Duration(rng.IntN(int(ms)))
		b := make([]byte, 1+rng.IntN(1400))
		b[0] = byte(k)
		if l.Put(now, b) {
			expected = append(expected, sent{now, len(b), b[0]})
		}
		for {
			b := l.Take(now)
			if b == nil {
				break
			}
			e := expected[0]
			expected = expected[1:]
			if len(b) != e.size || b[0] != e.mark {
				t.Fatalf("seed %d, %+v: a packet of %d, %d in place of %d, %d", seed, s, len(b), b[0], e.size, e.mark)
			}
			line = max(line, e.at)
			if s.Rate > 0 {
				line += time.Duration(float64(e.size) * 8 / float64(s.Rate) * float64(time.Second))
			}
			if now < line+s.Delay {
				t.Fatalf("seed %d, %+v: at %v came what was put at %v and cannot have come before %v", seed, s, now, e.at, line+s.Delay)
			}
		}
	}
	if l.under > maxTravelling || len(expected) != len(l.queue)-l.first {
		t.Fatalf("seed %d: %d bytes, %d packets under way; %d were put and did not come", seed, l.under, len(l.queue)-l.first, len(expected))
	}
	return l.Counts()
}

func TestShapesAreChecked(t *testing.T) {
	for _, s := range []Shape{{Delay: -1}, {Delay: time.Hour}, {Loss: -0.1}, {Loss: 1.1}, {Loss: math.NaN()}, {Rate: -1}, {Queue: -1}} {
		if s.Check() == nil {
			t.Errorf("%+v is accepted", s)
		}
	}
	if err := (Shape{Delay: 40 * ms, Loss: 0.01, Rate: 10_000_000}).Check(); err != nil {
		t.Error(err)
	}
}
