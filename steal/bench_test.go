package steal_test

import (
	"context"
	"encoding/binary"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/steal"
	"github.com/filchsched/filch/steal/core"
)

// inFlight is how many calls are submitted and not committed, at most.
const inFlight = 1024

// A caller is a home that submits calls one by one and keeps so many in flight.
type caller struct {
	committed atomic.Int64
	mu        sync.Mutex
	room      sync.Cond
	wants     atomic.Int64 // the submitter waits until so many are committed
	wrong     atomic.Int64
}

func (*caller) Header(core.JobID) ([]byte, error) { return nil, nil }

// Body is an argument of 16 bytes, another for each call.
func (*caller) Body(b []byte, _ core.JobID, i uint64) ([]byte, error) {
	b = binary.BigEndian.AppendUint64(b, i)
	return binary.BigEndian.AppendUint64(b, ^i), nil
}

func (c *caller) Committed(o core.Commit, _ []steal.Output) {
	for k, v := range o.Values {
		if len(v) != 8 || binary.BigEndian.Uint64(v) != 2*(o.Piece.Lo+uint64(k)) {
			c.wrong.Add(1)
		}
	}
	if o.State != task.Done || len(o.Values) != int(o.Piece.Len()) {
		c.wrong.Add(1)
	}
	if n := c.committed.Add(int64(o.Piece.Len())); n >= c.wants.Load() {
		c.mu.Lock()
		c.room.Signal()
		c.mu.Unlock()
	}
}
func (*caller) Told(core.Effect) {}

// wait returns when n calls are committed.
func (c *caller) wait(n int64) {
	if c.committed.Load() >= n {
		return
	}
	c.mu.Lock()
	c.wants.Store(n)
	for c.committed.Load() < n {
		c.room.Wait()
	}
	c.wants.Store(1 << 62)
	c.mu.Unlock()
}

// A doubler runs calls at once, on the driver's goroutine: what is measured is the driver.
type doubler struct{}

func (doubler) Wants(core.JobID) bool       { return true }
func (doubler) Halt(core.Piece)             {}
func (doubler) Leash(uint64, time.Duration) {}
func (doubler) Start(r steal.Run, end func(steal.End)) {
	values := make([][]byte, len(r.Bodies))
	arena := make([]byte, 0, 8*len(values))
	for k, b := range r.Bodies {
		arena = binary.BigEndian.AppendUint64(arena, 2*binary.BigEndian.Uint64(b))
		values[k] = arena[8*k : 8*k+8 : 8*k+8]
	}
	end(steal.End{Finished: core.Finished{Piece: r.Piece, State: task.Done, Values: values, Ran: time.Duration(len(values)) * time.Microsecond}})
}

// BenchmarkCalls is how fast calls that are submitted one by one, with 16 bytes of argument and 8 of
// result, at most 1,024 in flight, are run by another driver.
func BenchmarkCalls(b *testing.B) {
	net := newMemNet()
	home := new(caller)
	home.wants.Store(1 << 62)
	home.room.L = &home.mu
	ctx, cancel := context.WithCancel(b.Context())
	var all sync.WaitGroup
	drive := func(id core.PeerID, cores int, x steal.Executor, h steal.Home) *steal.Driver {
		d, err := steal.New(steal.Config{
			Core:    core.Config{ID: id, Incarnation: 1, Cores: cores, Kinds: []task.Kind{task.KindFunc}, Key: [32]byte{1}},
			Network: net.Port(id), Executor: x, Home: h,
		})
		if err != nil {
			b.Fatal(err)
		}
		all.Go(func() { d.Run(ctx) })
		return d
	}
	a := drive("home", 0, nil, home)
	t := drive("thief", 2, doubler{}, nil)
	defer func() { cancel(); all.Wait() }()
	list := []core.Member{{Peer: "home", Place: "z/r/a"}, {Peer: "thief", Place: "z/r/b"}}
	for _, d := range []*steal.Driver{a, t} {
		d.Ask(ctx, func(*core.Core) {})
		d.Tell(core.Members{List: list})
	}
	job, err := a.Submit(ctx, core.Terms{Name: "double", Kind: task.KindFunc, Estimate: time.Microsecond}, 0)
	if err != nil {
		b.Fatal(err)
	}
	const warm = 20_000
	submitted := int64(0)
	submit := func(n int64) {
		for range n {
			if submitted%64 == 0 {
				home.wait(submitted + 64 - inFlight)
			}
			a.Extend(job, 1)
			submitted++
		}
		home.wait(submitted)
	}
	submit(warm)
	before, other := a.Stats(), t.Stats()
	b.ReportAllocs()
	b.ResetTimer()
	submit(int64(b.N))
	b.StopTimer()
	after, others := a.Stats(), t.Stats()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
	b.ReportMetric(float64(after.Steps-before.Steps+others.Steps-other.Steps)/float64(b.N), "steps/call")
	b.ReportMetric(float64(after.ControlOut-before.ControlOut+after.ControlIn-before.ControlIn)/float64(b.N), "B/call")
	if home.wrong.Load() > 0 {
		b.Errorf("%d wrong results", home.wrong.Load())
	}
}
