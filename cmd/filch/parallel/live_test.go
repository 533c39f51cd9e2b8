package parallel

import (
	"bytes"
	"strings"
	"testing"
)

func TestLiveLines(t *testing.T) {
	var out, errs bytes.Buffer
	s := NewSequencer(&out, &errs, Arrange{Tag: true})
	defer s.Close()
	a, ae, endA := s.Live("A")
	b, _, endB := s.Live("B")
	for _, step := range []struct {
		w    interface{ Write([]byte) (int, error) }
		text string
	}{{a, "1"}, {b, "x\ny"}, {a, "2\n3\n4"}, {ae, "e\n"}, {b, "z\n"}} {
		if n, err := step.w.Write([]byte(step.text)); n != len(step.text) || err != nil {
			t.Error(n, err)
		}
	}
	endA()
	endB()
	if out.String() != "B\tx\nA\t12\nA\t3\nB\tyz\nA\t4" || errs.String() != "A\te\n" {
		t.Errorf("got %q, %q", out.String(), errs.String())
	}
}

// A line without an end does not take memory without an end, and gets one tag.
func TestLiveLongLine(t *testing.T) {
	var out bytes.Buffer
	s := NewSequencer(&out, &out, Arrange{Tag: true})
	defer s.Close()
	w, _, end := s.Live("T")
	for range 3 * maxLiveLine / 1024 {
		w.Write(bytes.Repeat([]byte("x"), 1024))
		if held := cap(w.(*liveWriter).held); held > 3*maxLiveLine {
			t.Fatalf("%d bytes are held", held)
		}
	}
	end()
	if got := out.String(); len(got) != 3*maxLiveLine+2 || strings.Count(got, "T\t") != 1 {
		t.Errorf("%d bytes, %d tags", len(got), strings.Count(got, "T\t"))
	}
}

// A run that is cut short loses nothing that has ended.
func TestDrain(t *testing.T) {
	var out bytes.Buffer
	s := NewSequencer(&out, &out, Arrange{KeepOrder: true})
	defer s.Close()
	for _, seq := range []uint64{5, 3, 9} {
		s.Put(Output{Seq: seq, Note: string(rune('0' + seq))})
	}
	if err := s.Drain(); err != nil || out.String() != "3\n5\n9\n" {
		t.Errorf("got %q, %v", out.String(), err)
	}
	if err := s.Drain(); err != nil || out.String() != "3\n5\n9\n" {
		t.Errorf("drained twice: %q, %v", out.String(), err)
	}
}
