package parallel

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// A text is a Stream that knows whether it was closed.
type text struct {
	s      string
	closed bool
}

func (t *text) Len() int64 { return int64(len(t.s)) }
func (t *text) WriteTo(w io.Writer) (int64, error) {
	if t.closed {
		return 0, errors.New("closed")
	}
	n, err := io.WriteString(w, t.s)
	return int64(n), err
}
func (t *text) Close() error { t.closed = true; return nil }

// both collects two outputs in the order of the writes.
type both struct{ out, err, all bytes.Buffer }

func (b *both) sequencer(a Arrange) *Sequencer {
	return NewSequencer(io.MultiWriter(&b.out, &b.all), io.MultiWriter(&b.err, &b.all), a)
}

func put(t *testing.T, s *Sequencer, o Output) {
	t.Helper()
	if err := s.Put(o); err != nil {
		t.Fatal(err)
	}
}

func TestGrouping(t *testing.T) {
	var b both
	s := b.sequencer(Arrange{})
	put(t, s, Output{Seq: 2, Stdout: &text{s: "o2\n"}, Stderr: &text{s: "e2\n"}})
	put(t, s, Output{Seq: 1, Stdout: &text{s: "o1"}, Stderr: &text{s: "e1\n"}, Note: "n1"})
	put(t, s, Output{Seq: 3})
	if got, want := b.all.String(), "o2\ne2\no1e1\nn1\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTag(t *testing.T) {
	var b both
	s := b.sequencer(Arrange{Tag: true})
	put(t, s, Output{Seq: 1, Tag: "a", Stdout: &text{s: "1\n2"}, Stderr: &text{s: "\ne\n"}, Note: "n"})
	put(t, s, Output{Seq: 2, Tag: "b\nc", Stdout: &text{s: "1\n"}})
	put(t, s, Output{Seq: 3, Tag: "d"})
	if got, want := b.all.String(), "a\t1\na\t2a\t\na\te\na\tn\nb\nc\t1\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// The tagger must not depend on how its input is cut.
func TestTagAcrossWrites(t *testing.T) {
	const in, want = "ab\n\nc\nd", "T\tab\nT\t\nT\tc\nT\td"
	for cut := range len(in) {
		var b bytes.Buffer
		w := &tagger{w: &b, tag: "T\t"}
		for _, piece := range []string{in[:cut], in[cut:]} {
			if n, err := io.WriteString(w, piece); n != len(piece) || err != nil {
				t.Fatal(n, err)
			}
		}
		if b.String() != want {
			t.Errorf("cut at %d: got %q", cut, b.String())
		}
	}
}

// Invariant: with KeepOrder all output appears once, in the order of the
// rows, whatever the order of their ends, in memory or on disk.
func TestKeepOrder(t *testing.T) {
	for _, size := range []int{1, 50_000} { // the second fills maxHeldBytes soon
		n := 3 * maxHeld
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			seed := rand.Uint64()
			t.Logf("seed %d", seed)
			rng := rand.New(rand.NewPCG(seed, 0))
			var b both
			s := b.sequencer(Arrange{KeepOrder: true, Tag: true, SpillDir: t.TempDir()})
			var want bytes.Buffer
			var streams []*text
			for _, i := range rng.Perm(n) {
				o := Output{Seq: uint64(i + 1), Tag: fmt.Sprint(i)}
				for _, stream := range []*Stream{&o.Stdout, &o.Stderr} {
					if rng.IntN(3) > 0 {
						f := &text{s: strings.Repeat("x", rng.IntN(size)) + "\n"}
						streams = append(streams, f)
						*stream = f
					}
				}
				if rng.IntN(10) == 0 {
					o.Note = "note"
				}
				put(t, s, o)
			}
			rng = rand.New(rand.NewPCG(seed, 0))
			expect := make([]string, n)
			for _, i := range rng.Perm(n) {
				for range 2 {
					if rng.IntN(3) > 0 {
						expect[i] += fmt.Sprintf("%d\t%s\n", i, strings.Repeat("x", rng.IntN(size)))
					}
				}
				if rng.IntN(10) == 0 {
					expect[i] += fmt.Sprintf("%d\tnote\n", i)
				}
			}
			for _, e := range expect {
				want.WriteString(e)
			}
			if !bytes.Equal(b.all.Bytes(), want.Bytes()) {
				t.Errorf("%d bytes differ from the %d wanted", b.all.Len(), want.Len())
			}
			for i, f := range streams {
				if !f.closed {
					t.Fatalf("stream %d was not closed", i)
				}
			}
			if s.waiting.data == nil {
				t.Error("nothing went to disk: the test tests less than it should")
			}
			if info, err := s.waiting.data.Stat(); err != nil || info.Size() != 0 {
				t.Errorf("the disk was not given back: %v, %v", info, err)
			}
			if len(s.waiting.held) != 0 || s.waiting.weight != 0 {
				t.Errorf("%d held, %d bytes", len(s.waiting.held), s.waiting.weight)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// Invariant: what is held back grows by one byte of memory per row.
func TestStalledFirst(t *testing.T) {
	const n = 50_000
	out := &counter{}
	s := NewSequencer(out, io.Discard, Arrange{KeepOrder: true, SpillDir: t.TempDir()})
	defer s.Close()
	before := heap()
	for seq := uint64(2); seq <= n; seq++ {
		put(t, s, Output{Seq: seq, Stdout: &text{s: "a line\n"}})
	}
	if grown := heap() - before; grown > 3*n+maxHeld*200 {
		t.Errorf("%d bytes are held for %d rows", grown, n)
	}
	if out.n != 0 {
		t.Error("output before its turn")
	}
	put(t, s, Output{Seq: 1})
	if out.n != 7*(n-1) {
		t.Errorf("%d bytes came out", out.n)
	}
	if cap(s.waiting.states) > 2*n {
		t.Errorf("%d states", cap(s.waiting.states))
	}
}

type counter struct{ n int }

func (c *counter) Write(p []byte) (int, error) { c.n += len(p); return len(p), nil }

// After the first error nothing is written, everything is closed, and all learn of it.
func TestBrokenOutput(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	defer w.Close()
	s := NewSequencer(w, io.Discard, Arrange{})
	for seq := uint64(1); seq <= 2; seq++ {
		f := &text{s: "x\n"}
		err := s.Put(Output{Seq: seq, Stdout: f})
		var we *WriteError
		if !errors.As(err, &we) || !errors.Is(err, syscall.EPIPE) || we.Stream != "standard output" {
			t.Errorf("got %v", err)
		}
		if !f.closed {
			t.Error("not closed")
		}
	}
}

// A stream that cannot be read back is not the fault of our output.
func TestUnreadableStream(t *testing.T) {
	s := NewSequencer(io.Discard, io.Discard, Arrange{})
	f := &text{s: "x", closed: true}
	var we *WriteError
	if err := s.Put(Output{Seq: 1, Stdout: f}); err == nil || errors.As(err, &we) {
		t.Errorf("got %v", err)
	}
}

func TestNoPlaceToSpill(t *testing.T) {
	s := NewSequencer(io.Discard, io.Discard, Arrange{KeepOrder: true, SpillDir: "/nonexistent"})
	var err error
	for seq := uint64(2); seq < maxHeld+10 && err == nil; seq++ {
		err = s.Put(Output{Seq: seq, Stdout: &text{s: "x"}})
	}
	if err == nil || !strings.Contains(err.Error(), "TMPDIR") {
		t.Errorf("got %v", err)
	}
}

func TestPutConcurrently(t *testing.T) {
	const n = 5000
	var b both
	s := b.sequencer(Arrange{KeepOrder: true, SpillDir: t.TempDir()})
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := w; i < n; i += 8 {
				if err := s.Put(Output{Seq: uint64(i + 1), Stdout: &text{s: fmt.Sprintln(i)}}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for i, line := range strings.Fields(b.out.String()) {
		if line != fmt.Sprint(i) {
			t.Fatalf("line %d is %s", i, line)
		}
	}
	s.Close()
}
