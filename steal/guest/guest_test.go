package guest

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"go.uber.org/goleak"

	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/steal"
	"github.com/filchsched/filch/steal/core"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A desk is a node with a host: what the host tells the state machine is in events.
type desk struct {
	*Host
	events chan core.Event
	served sync.WaitGroup
	errs   chan error
}

func newDesk(t *testing.T, exec steal.Executor) *desk {
	d := &desk{events: make(chan core.Event, 100), errs: make(chan error, 100)}
	d.Host = NewHost(nil, exec, func(es ...core.Event) error {
		for _, e := range es {
			d.events <- e
		}
		return nil
	}, nil)
	d.ID = "the-node"
	t.Cleanup(d.served.Wait)
	return d
}

// dial connects somebody to the desk.
func (d *desk) dial(t *testing.T) net.Conn {
	near, far := net.Pipe()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	d.served.Go(func() { d.errs <- d.Serve(ctx, far) })
	return near
}

// guest connects a guest.
func (d *desk) guest(t *testing.T, id core.PeerID, jobs int) *Link {
	t.Helper()
	l, err := Connect(t.Context(), d.dial(t), id, jobs, About{"sums", "md5sum {}"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	if e := <-d.events; e != (core.Guest{Peer: id, Here: true, Jobs: jobs}) {
		t.Fatalf("the node was told %+v", e)
	}
	return l
}

// A worker is a guest's executor and its driver's Tell: what is lent it starts.
type worker struct {
	foreign
	x       steal.Executor // itself, as the link wraps it
	halted  chan core.Piece
	told    chan steal.End // by the executor to the driver
	decline bool
	link    *Link

	mu    sync.Mutex
	ended map[core.Piece]func(steal.End)
}

func newWorker(l *Link) *worker {
	w := &worker{
		foreign: foreign{runs: make(chan steal.Run, 10)}, halted: make(chan core.Piece, 10), told: make(chan steal.End, 10),
		ended: make(map[core.Piece]func(steal.End)), link: l,
	}
	w.x = l.Executor(w)
	return w
}

func (w *worker) tell(events ...core.Event) error {
	for _, e := range events {
		p := e.(core.Lent).Piece
		if w.decline {
			w.link.Declined(p)
			continue
		}
		w.x.Start(steal.Run{Run: core.Run{Piece: p}}, func(e steal.End) { w.told <- e })
	}
	return nil
}

func (w *worker) Start(r steal.Run, end func(steal.End)) {
	w.mu.Lock()
	w.ended[r.Piece] = end
	w.mu.Unlock()
	w.runs <- r
}

func (w *worker) Halt(p core.Piece) { w.halted <- p }

func (w *worker) end(p core.Piece, ran time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended[p](steal.End{Finished: core.Finished{Piece: p, Ran: ran}})
}

func piece(home core.PeerID, i uint64) core.Piece {
	return core.Piece{Job: core.JobID{Home: home, Seq: 1<<32 | 1}, Span: core.Span{Lo: i, Hi: i + 1}, Attempt: core.Attempt{Incarnation: 1, N: uint32(i + 1)}}
}

func TestAGuestExecutesItsOwnTasksAndTellsOnlyThatTheyHaveEnded(t *testing.T) {
	d := newDesk(t, nil)
	id := NewID()
	l := d.guest(t, id, 4)
	w := newWorker(l)
	ctx, cancel := context.WithCancel(t.Context())
	worked := make(chan error, 1)
	go func() { worked <- l.Work(ctx, w, w.tell) }()
	p := piece(id, 7)
	if d.Wants(p.Job) {
		t.Error("the header of a guest's own job is wanted")
	}
	ends := make(chan steal.End, 1)
	d.Start(steal.Run{Run: core.Run{Piece: p}}, func(e steal.End) { ends <- e })
	if got := <-w.runs; got.Piece != p {
		t.Errorf("started %v, want %v", got, p)
	}
	d.Halt(p)
	if got := <-w.halted; got != p {
		t.Errorf("halted %v, want %v", got, p)
	}
	w.end(p, 3*time.Second)
	if e := <-ends; !e.ByHome || e.Piece != p || e.Ran != 3*time.Second || e.State != 0 {
		t.Errorf("the node heard %+v", e)
	}
	if len(w.told) != 1 {
		t.Error("the node heard of the end before the guest's own driver")
	}
	cancel()
	if err := <-worked; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestStreamsGoBothWaysEvenBeforeTheirProtocolIsHandled(t *testing.T) {
	d := newDesk(t, nil)
	id := NewID()
	l := d.guest(t, id, 1)
	echo := func(who core.PeerID, s steal.Stream) {
		b, _ := io.ReadAll(s)
		fmt.Fprintf(s, "%s said %s", who, b)
		s.Close()
	}
	ask := func(n steal.Network, to core.PeerID, handle func()) string {
		s, err := n.Open(t.Context(), to, "/echo")
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(s, "hello")
		s.CloseWrite()
		handle()
		b, err := io.ReadAll(s)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if got := ask(l, "the-node", func() { d.Handle("/echo", echo) }); got != string(id)+" said hello" {
		t.Errorf("the guest heard %q", got)
	}
	if got := ask(d, id, func() { l.Handle("/echo", echo) }); got != "the-node said hello" {
		t.Errorf("the node heard %q", got)
	}
	if _, err := l.Open(t.Context(), "somebody", "/echo"); err == nil {
		t.Error("a guest reached another than its node")
	}
	if _, err := d.Open(t.Context(), NewID(), "/echo"); err == nil {
		t.Error("the node reached a guest that is not there")
	}
}

func TestWhatAGuestRanHasEndedWhenItIsGone(t *testing.T) {
	d := newDesk(t, nil)
	id := NewID()
	l := d.guest(t, id, 0)
	p := piece(id, 1)
	ends := make(chan steal.End, 2)
	d.Start(steal.Run{Run: core.Run{Piece: p}}, func(e steal.End) { ends <- e })
	l.Close()
	if e := <-d.events; e != (core.Guest{Peer: id}) {
		t.Errorf("the node was told %+v", e)
	}
	if e := <-ends; !e.ByHome || e.Piece != p {
		t.Errorf("%+v", e)
	}
	if err := <-d.errs; err != nil {
		t.Errorf("a guest that leaves is no error: %v", err)
	}
	d.Start(steal.Run{Run: core.Run{Piece: p}}, func(e steal.End) { ends <- e })
	if e := <-ends; !e.ByHome {
		t.Errorf("one that is gone: %+v", e)
	}
}

func TestAGuestNoticesThatItsNodeIsGoneAndGoesOnWithWhatRuns(t *testing.T) {
	d := newDesk(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	near, far := net.Pipe()
	d.served.Go(func() { d.errs <- d.Serve(ctx, far) })
	id := NewID()
	l, err := Connect(t.Context(), near, id, 1, About{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	w := newWorker(l)
	worked := make(chan error, 1)
	go func() { worked <- l.Work(t.Context(), w, w.tell) }()
	<-d.events
	p := piece(id, 1)
	d.Start(steal.Run{Run: core.Run{Piece: p}}, func(steal.End) {})
	<-w.runs
	cancel()
	<-l.Done()
	if err := <-worked; err != nil {
		t.Error(err)
	}
	if len(w.halted) > 0 {
		t.Error("what runs was halted")
	}
	w.end(p, 1) // goes nowhere, and blocks nobody
	if e := <-w.told; e.Piece != p {
		t.Errorf("the guest's driver heard %+v", e)
	}
}

func TestAPieceThatTheGuestDeclinesIsCancelledToTheNode(t *testing.T) {
	d := newDesk(t, nil)
	id := NewID()
	l := d.guest(t, id, 4)
	w := newWorker(l)
	w.decline = true
	go l.Work(t.Context(), w, w.tell)
	ends := make(chan steal.End, 1)
	d.Start(steal.Run{Run: core.Run{Piece: piece(id, 1)}}, func(e steal.End) { ends <- e })
	if e := <-ends; e.ByHome || e.State != task.Cancelled || e.Piece != piece(id, 1) {
		t.Errorf("%+v", e)
	}
}

// foreign is an executor of the node's own.
type foreign struct {
	steal.Executor
	runs chan steal.Run
}

func (foreign) Wants(core.JobID) bool                   { return true }
func (f foreign) Start(r steal.Run, _ func(steal.End))  { f.runs <- r }
func (f foreign) Leash(key uint64, until time.Duration) {}

func TestOthersTasksAndThoseOfOtherNodesGuestsAreTheNodesOwnBusiness(t *testing.T) {
	f := foreign{runs: make(chan steal.Run, 1)}
	d := newDesk(t, f)
	for _, home := range []core.PeerID{"a-node", NewID()} {
		p := piece(home, 1)
		if !d.Wants(p.Job) {
			t.Error("its header is not wanted")
		}
		d.Start(steal.Run{Run: core.Run{Piece: p}, Header: []byte{1}}, func(e steal.End) { t.Errorf("ended: %+v", e) })
		if r := <-f.runs; r.Piece != p {
			t.Errorf("%+v", r)
		}
	}
}

func TestStrangersAreRefused(t *testing.T) {
	d := newDesk(t, nil)
	for _, c := range []struct{ name, text, want string }{
		{"another protocol", "GET / HTTP/1.1\r\n\r\n", "does not speak"},
		{"too long", string(binary.BigEndian.AppendUint16([]byte(magic+"\x01"), 60000)), "at most"},
		{"too short", string(binary.BigEndian.AppendUint16([]byte(magic+"\x01"), 1)) + "x", "too short"},
		{"an old version", string(binary.BigEndian.AppendUint16([]byte(magic+"\x00"), 1)) + "x", "version 0"},
		{"a node's name", string(binary.BigEndian.AppendUint16([]byte(magic+"\x01"), 9)) + "\x00\x00\x00\x0112D3K", "no guest's name"},
		{"many jobs", string(binary.BigEndian.AppendUint16([]byte(magic+"\x01"), uint16(4+len(NewID())))) + "\xff\x00\x00\x01" + string(NewID()), "jobs are more"},
	} {
		t.Run(c.name, func(t *testing.T) {
			conn := d.dial(t)
			go io.WriteString(conn, c.text)
			go io.Copy(io.Discard, conn)
			if err := <-d.errs; err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want something with %q", err, c.want)
			}
		})
	}
	if len(d.events) > 0 {
		t.Errorf("the node was told %+v", <-d.events)
	}
}

func TestThereIsABoundOnGuestsAndEachHasAName(t *testing.T) {
	d := newDesk(t, nil)
	first := NewID()
	d.guest(t, first, 1)
	if _, err := Connect(t.Context(), d.dial(t), first, 1, About{}); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "already") {
		t.Errorf("the same name: %v", err)
	}
	for range maxGuests - 1 {
		d.guest(t, NewID(), 1)
	}
	if _, err := Connect(t.Context(), d.dial(t), NewID(), 1, About{}); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "64 guests") {
		t.Errorf("one too many: %v", err)
	}
}

// TestAGuestIsCalledWhatItSays, cut to what is readable, and one that says nothing is as welcome; the node is told of its coming
// before the state machine is, and of its going.
func TestAGuestIsCalledWhatItSays(t *testing.T) {
	d := newDesk(t, nil)
	came, went := make(chan About, 10), make(chan core.PeerID, 10)
	d.Came = func(_ core.PeerID, a About) { came <- a }
	d.Went = func(id core.PeerID) { went <- id }
	for _, c := range []struct{ says, heard About }{
		{About{"sums", "md5sum {}"}, About{"sums", "md5sum {}"}},
		{About{}, About{}},
		{About{Runs: "x"}, About{Runs: "x"}},
		{About{strings.Repeat("é", 300), "a" + strings.Repeat("é", 300)}, About{strings.Repeat("é", 128), "a" + strings.Repeat("é", 127)}},
	} {
		id := NewID()
		l, err := Connect(t.Context(), d.dial(t), id, 1, c.says)
		if err != nil {
			t.Fatal(err)
		}
		<-d.events
		if got := <-came; got != c.heard {
			t.Errorf("%+v was heard as %+v", c.says, got)
		}
		l.Close()
		if gone := <-went; gone != id {
			t.Errorf("%s is gone, not %s", gone, id)
		}
		<-d.events
		<-d.errs
	}
}

func TestAnOrderFromTheGuestEndsItsStay(t *testing.T) {
	d := newDesk(t, nil)
	id := NewID()
	l := d.guest(t, id, 1)
	orders := <-l.execs
	f := frame{kind: frameStart, piece: piece(id, 1)}
	orders.Write(f.append(nil))
	if err := <-d.errs; err == nil || !strings.Contains(err.Error(), "gives orders") {
		t.Error(err)
	}
	<-l.Done()
}

func FuzzFrame(f *testing.F) {
	one := frame{kind: frameEnded, piece: piece("h", 3), ran: time.Second}
	f.Add(one.append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := readFrame(bytes.NewReader(b), "h")
		if err != nil {
			return
		}
		if back := got.append(nil); !bytes.Equal(back, b[:frameLen]) {
			t.Errorf("%x became %x", b[:frameLen], back)
		}
	})
}

func FuzzWelcome(f *testing.F) {
	var b bytes.Buffer
	send(&b, append([]byte{0, 0, 0, 4}, NewID()...))
	f.Add(b.Bytes())
	b.Reset()
	send(&b, append(append([]byte{0, 0, 0, 4}, NewID()...), 0, 2, 'a', 'b', 'c'))
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		if h, err := welcome(bytes.NewReader(b)); err == nil && (!Is(h.id) || h.jobs > maxJobs || len(h.about.Job) > maxAbout || len(h.about.Runs) > maxAbout || !utf8.ValidString(h.about.Job+h.about.Runs)) {
			t.Errorf("%+v", h)
		}
	})
}
