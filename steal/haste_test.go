package steal_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/steal"
	"github.com/filchsched/filch/steal/core"
)

// A prompt executor ends each run before Start returns, and says how long it took.
type prompt struct{ took time.Duration }

func (prompt) Wants(core.JobID) bool       { return true }
func (prompt) Halt(core.Piece)             {}
func (prompt) Leash(uint64, time.Duration) {}
func (x prompt) Start(r steal.Run, end func(steal.End)) {
	end(steal.End{Finished: core.Finished{Piece: r.Piece, State: task.Done, Values: r.Bodies, Ran: x.took}})
}

// A listener is a home that tells of each outcome.
type listener struct{ outcomes chan core.Commit }

func (listener) Header(core.JobID) ([]byte, error) { return nil, nil }
func (listener) Body(b []byte, _ core.JobID, _ uint64) ([]byte, error) {
	return append(b, "body"...), nil
}
func (l listener) Committed(c core.Commit, _ []steal.Output) { l.outcomes <- c }
func (listener) Told(core.Effect)                            {}

// oneByOne makes so many calls, each when the one before has returned, from a home on a thief of one core.
func oneByOne(t *testing.T, x steal.Executor, calls int, do func(ctx context.Context, thief *steal.Driver, call func())) {
	synctest.Test(t, func(t *testing.T) {
		net, begun := newMemNet(), time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		defer func() { cancel(); all.Wait() }()
		drive := func(id core.PeerID, cores int, x steal.Executor, h steal.Home) *steal.Driver {
			d, err := steal.New(steal.Config{
				Core:    core.Config{ID: id, Incarnation: 1, Cores: cores, Kinds: []task.Kind{task.KindFunc}, Key: [32]byte{1}},
				Network: net.Port(id), Executor: x, Home: h, Clock: func() time.Duration { return time.Since(begun) },
			})
			if err != nil {
				t.Fatal(err)
			}
			all.Go(func() { d.Run(ctx) })
			return d
		}
		l := listener{make(chan core.Commit, calls)}
		home, thief := drive("home", 0, nil, l), drive("thief", 1, x, nil)
		for _, d := range []*steal.Driver{home, thief} {
			if err := d.Ask(ctx, func(*core.Core) {}); err != nil {
				t.Fatal(err)
			}
			d.Tell(core.Members{List: []core.Member{{Peer: "home", Place: "z/r/a"}, {Peer: "thief", Place: "z/r/b"}}})
		}
		job, err := home.Submit(ctx, core.Terms{Name: "f", Kind: task.KindFunc, Estimate: time.Microsecond}, 0)
		if err != nil {
			t.Fatal(err)
		}
		call := func() {
			home.ExtendBy(job, func() uint64 { return 1 })
			if o := <-l.outcomes; o.State != task.Done || o.Piece.Len() != 1 {
				t.Fatalf("%+v", o)
			}
		}
		for range calls / 2 { // until an offer stands
			call()
		}
		do(ctx, thief, call)
	})
}

// TestAnOvertakenOfferIsNotTold: a thief that has a task for some microseconds says what room it has once for each, not that it
// has none and then that it has some again.
func TestAnOvertakenOfferIsNotTold(t *testing.T) {
	oneByOne(t, prompt{time.Microsecond}, 40, func(ctx context.Context, thief *steal.Driver, call func()) {
		before := thief.Stats()
		for range 20 {
			call()
		}
		synctest.Wait()
		if n := thief.Stats().OffersOut - before.OffersOut; n > 20 {
			t.Errorf("%d offers and withdrawals for 20 calls", n)
		}
	})
}

// TestWhoRunsLongAsksAhead: an offer by which a thief asks for work ahead of need is told when a run begins that will take its time.
func TestWhoRunsLongAsksAhead(t *testing.T) {
	oneByOne(t, prompt{100 * time.Microsecond}, 40, func(ctx context.Context, thief *steal.Driver, call func()) {
		before := thief.Stats()
		for range 20 {
			call()
		}
		synctest.Wait()
		if n := thief.Stats().OffersOut - before.OffersOut; n < 40 {
			t.Errorf("%d offers and withdrawals for 20 calls", n)
		}
	})
}

// TestWhatNobodyWaitsForLeavesSoon: the word that an outcome is recorded waits for company, but not until the next heartbeat.
func TestWhatNobodyWaitsForLeavesSoon(t *testing.T) {
	oneByOne(t, prompt{time.Microsecond}, 40, func(ctx context.Context, thief *steal.Driver, call func()) {
		held := func() (n uint64) {
			thief.Ask(ctx, func(c *core.Core) { n = c.Held() })
			return n
		}
		call()
		synctest.Wait()
		if n := held(); n != 1 {
			t.Errorf("%d tasks are held at once after their outcome", n)
		}
		time.Sleep(2 * time.Millisecond)
		synctest.Wait()
		if n := held(); n != 0 {
			t.Errorf("%d tasks are held 2 ms after their outcome", n)
		}
	})
}
