package steal_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/steal"
	"github.com/filchsched/filch/steal/core"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A process is a driver with an engine and a home, on a network in memory.
type process struct {
	t    *testing.T
	id   core.PeerID
	d    *steal.Driver
	stop func()
	x    *engine

	mu       sync.Mutex
	values   map[core.JobID]map[uint64]string // committed
	hosts    map[core.PeerID]int
	twice    []uint64
	failed   map[uint64]string
	told     []core.Effect
	more     *sync.Cond
	body     func(index uint64) []byte
	header   []byte
	outputOf map[uint64]string
}

// An engine runs a "function": it answers with header, body and more. Each run has a goroutine.
type engine struct {
	mu   sync.Mutex
	work func(p core.Piece, header, body []byte) (value []byte, outputs []steal.Output)
	ran  int
	wait chan struct{} // not nil: runs wait for it
	all  sync.WaitGroup
	off  chan struct{}
}

func (x *engine) Wants(core.JobID) bool { return true }

func (x *engine) Start(r steal.Run, end func(steal.End)) {
	x.all.Go(func() {
		if x.wait != nil {
			select {
			case <-x.wait:
			case <-x.off:
				return
			}
		}
		e := steal.End{Finished: core.Finished{Piece: r.Piece, State: task.Done, Ran: time.Microsecond}}
		for i, b := range r.Bodies {
			p := r.Piece
			p.Lo += uint64(i)
			v, out := x.work(p, r.Header, b)
			e.Values = append(e.Values, v)
			e.Outputs = append(e.Outputs, out...)
		}
		x.mu.Lock()
		x.ran += len(r.Bodies)
		x.mu.Unlock()
		end(e)
	})
}
func (x *engine) Halt(core.Piece)             {}
func (x *engine) Leash(uint64, time.Duration) {}

func (x *engine) count() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.ran
}

// echo answers with all that it was given.
func echo(_ core.Piece, header, body []byte) ([]byte, []steal.Output) {
	return append(append([]byte(nil), header...), body...), nil
}

var incarnations struct {
	sync.Mutex
	of map[core.PeerID]uint64
}

func start(t *testing.T, net *memNet, id core.PeerID, cores int) *process {
	t.Helper()
	return startOn(t, net.Port(id), id, cores)
}

func startOn(t *testing.T, network steal.Network, id core.PeerID, cores int) *process {
	t.Helper()
	p := &process{t: t, id: id, values: make(map[core.JobID]map[uint64]string), hosts: make(map[core.PeerID]int), failed: make(map[uint64]string), outputOf: make(map[uint64]string)}
	p.more = sync.NewCond(&p.mu)
	p.x = &engine{work: echo, off: make(chan struct{})}
	p.header = []byte("h:")
	p.body = func(i uint64) []byte { return binary.BigEndian.AppendUint64(nil, i) }
	incarnations.Lock()
	if incarnations.of == nil {
		incarnations.of = make(map[core.PeerID]uint64)
	}
	incarnations.of[id]++
	inc := incarnations.of[id]
	incarnations.Unlock()
	began := time.Now() // in the bubble of synctest that is another time
	d, err := steal.New(steal.Config{
		Clock:   func() time.Duration { return time.Since(began) },
		Core:    core.Config{ID: id, Incarnation: inc, Seed: uint64(len(id)) + inc, Cores: cores, Kinds: []task.Kind{task.KindFunc}, Key: [32]byte{1}},
		Network: network, Executor: p.x, Home: p,
	})
	if err != nil {
		t.Fatal(err)
	}
	p.d = d
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		d.Run(ctx)
		close(ended)
	}()
	var once sync.Once
	p.stop = func() {
		once.Do(func() {
			close(p.x.off)
			cancel()
			<-ended
			p.x.all.Wait()
		})
	}
	t.Cleanup(p.stop)
	if err := d.Ask(t.Context(), func(*core.Core) {}); err != nil { // it listens now
		t.Fatal(err)
	}
	return p
}

func (p *process) Header(core.JobID) ([]byte, error) { return p.header, nil }
func (p *process) Body(b []byte, _ core.JobID, i uint64) ([]byte, error) {
	return append(b, p.body(i)...), nil
}

func (p *process) Committed(c core.Commit, outputs []steal.Output) {
	p.mu.Lock()
	defer p.mu.Unlock()
	of := p.values[c.Piece.Job]
	if of == nil {
		of = make(map[uint64]string)
		p.values[c.Piece.Job] = of
	}
	for i := c.Piece.Lo; i < c.Piece.Hi; i++ {
		if _, ok := of[i]; ok {
			p.twice = append(p.twice, i)
		}
		of[i] = ""
		if len(c.Values) > 0 {
			of[i] = string(c.Values[i-c.Piece.Lo])
		}
		if c.State != task.Done {
			p.failed[i] = c.Reason
		}
		p.hosts[c.Host]++
	}
	for _, o := range outputs {
		b, err := io.ReadAll(o.Data.Reader())
		if err != nil {
			p.t.Error(err)
		}
		p.outputOf[o.Index] += fmt.Sprint(o.Name, ":", string(b))
		o.Data.Close()
	}
	p.more.Broadcast()
}

func (p *process) Told(e core.Effect) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.told = append(p.told, e)
	p.more.Broadcast()
}

// expect waits until a job has n outcomes and checks those there are.
func (p *process) expect(job core.JobID, n int) {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.values[job]) < n {
		p.more.Wait()
	}
	for i, got := range p.values[job] {
		want := string(p.header) + string(p.body(i))
		if got != want && p.failed[i] == "" {
			p.t.Fatalf("task %d is %.80q, not %.80q", i, got, want)
		}
	}
	if len(p.twice) > 0 || len(p.failed) > 0 {
		p.t.Errorf("committed twice: %v; failed: %v", p.twice, p.failed)
	}
}

func (p *process) submit(t core.Terms, n uint64) core.JobID {
	p.t.Helper()
	if t.Kind == "" {
		t.Kind, t.Name = task.KindFunc, "f"
	}
	id, err := p.d.Submit(p.t.Context(), t, n)
	if err != nil {
		p.t.Fatal(err)
	}
	return id
}

func meet(all ...*process) {
	var list []core.Member
	for _, p := range all {
		list = append(list, core.Member{Peer: p.id, Place: "z/r", Kinds: []task.Kind{task.KindFunc}, Cores: 4})
	}
	for _, p := range all {
		p.d.Tell(core.Members{List: list})
	}
}

// TestTasksSpread: tasks of a home without cores are run by others, with the right results.
func TestTasksSpread(t *testing.T) {
	net := newMemNet()
	home, a, b := start(t, net, "home", 0), start(t, net, "a", 2), start(t, net, "b", 2)
	meet(home, a, b)
	job := home.submit(core.Terms{}, 2000)
	home.expect(job, 2000)
	if a.x.count()+b.x.count() < 2000 {
		t.Errorf("a ran %d, b ran %d", a.x.count(), b.x.count())
	}
}

// TestLongThingsTravel: headers, bodies, values and outputs that are too long for control frames arrive whole.
func TestLongThingsTravel(t *testing.T) {
	net := newMemNet()
	home, a := start(t, net, "home", 0), start(t, net, "a", 4)
	home.header = bytes.Repeat([]byte("header"), 30_000)
	home.body = func(i uint64) []byte { return bytes.Repeat([]byte{byte(i)}, int(i)*150_000+1) }
	a.x.work = func(p core.Piece, h, b []byte) ([]byte, []steal.Output) {
		v, _ := echo(p, h, b)
		return v, []steal.Output{
			{Index: p.Lo, Name: 1, Data: blob(bytes.Repeat([]byte("out"), int(p.Lo)*100_000))},
			{Index: p.Lo, Name: 2, Data: blob("err")},
		}
	}
	meet(home, a)
	job := home.submit(core.Terms{}, 12)
	home.expect(job, 12)
	home.mu.Lock()
	defer home.mu.Unlock()
	for i := range uint64(12) {
		want := "1:" + string(bytes.Repeat([]byte("out"), int(i)*100_000)) + "2:err"
		if got := home.outputOf[i]; got != want {
			t.Errorf("outputs of task %d: %d bytes, not %d", i, len(got), len(want))
		}
	}
}

type blob []byte

func (b blob) Len() int64        { return int64(len(b)) }
func (b blob) Reader() io.Reader { return bytes.NewReader(b) }
func (blob) Close() error        { return nil }

// TestStreamsBreak: connections break again and again, half open ones among them; results are exact.
func TestStreamsBreak(t *testing.T) {
	net := newMemNet()
	home, a, b := start(t, net, "home", 1), start(t, net, "a", 2), start(t, net, "b", 2)
	meet(home, a, b)
	job := home.submit(core.Terms{}, 0)
	const rounds, each = 20, 200
	for k := range rounds {
		home.d.Tell(core.Extend{Job: job, N: each})
		switch k % 4 {
		case 0:
			net.Reset(func(_, _ core.PeerID) bool { return true })
		case 1:
			net.Stall(true, func(from, to core.PeerID) bool { return from == "a" || to == "a" })
		case 2:
			net.Reset(func(from, to core.PeerID) bool { return from == "a" || to == "a" })
		}
		home.expect(job, (k+1)*each/2)
	}
	net.Stall(false, func(_, _ core.PeerID) bool { return true })
	home.expect(job, rounds*each)
}

// TestPeerRestarts: a holder that vanishes with what it holds comes back as a new process; nothing is lost.
func TestPeerRestarts(t *testing.T) {
	net := newMemNet()
	home, a := start(t, net, "home", 0), start(t, net, "a", 2)
	a.x.wait = make(chan struct{})
	meet(home, a)
	job := home.submit(core.Terms{}, 50)
	for held := uint64(0); held == 0; {
		if err := a.d.Ask(t.Context(), func(c *core.Core) { held = c.Held() }); err != nil {
			t.Fatal(err)
		}
	}
	net.Remove("a")
	a.stop()
	a = start(t, net, "a", 2)
	meet(home, a)
	home.expect(job, 50)
}

// TestGarbageHurtsNobody: a peer that sends garbage loses its stream, and others go on.
func TestGarbageHurtsNobody(t *testing.T) {
	net := newMemNet()
	home, a := start(t, net, "home", 0), start(t, net, "a", 2)
	meet(home, a)
	evil := net.Port("evil")
	for _, protocol := range []string{"/filch/control/1", "/filch/data/1"} {
		for _, b := range [][]byte{
			[]byte("GET / HTTP/1.1\r\n\r\n"),
			append([]byte("filch\x00\x00\x01"), bytes.Repeat([]byte{0xff}, 100)...),
			append([]byte("filch\x00\x00\x07"), bytes.Repeat([]byte{0}, 100)...),
			append(append([]byte("filch\x00\x00\x01"), make([]byte, 16)...), 0, 0, 0, 5, 0xdd, 0x7f, 0xff, 0xff, 0xff),
		} {
			s, err := evil.Open(t.Context(), "home", protocol)
			if err != nil {
				t.Fatal(err)
			}
			s.Write(b)
			s.CloseWrite()
			io.Copy(io.Discard, s) // ends when home has closed it
			s.Reset()
		}
	}
	job := home.submit(core.Terms{}, 100)
	home.expect(job, 100)
	if s := home.d.Stats(); s.Garbage+s.Versions < 8 {
		t.Errorf("counted %d streams of garbage and %d of another version", s.Garbage, s.Versions)
	}
}

// TestEnded: a driver that has ended says so to everybody.
func TestEnded(t *testing.T) {
	p := start(t, newMemNet(), "p", 1)
	p.stop()
	if _, err := p.d.Submit(t.Context(), core.Terms{}, 1); err != steal.ErrEnded {
		t.Errorf("Submit: %v", err)
	}
	if err := p.d.Tell(core.Drain{}); err != steal.ErrEnded {
		t.Errorf("Tell: %v", err)
	}
	if err := p.d.Ask(t.Context(), func(*core.Core) {}); err != steal.ErrEnded {
		t.Errorf("Ask: %v", err)
	}
}
