package steal

import (
	"testing"

	"github.com/filchsched/filch/steal/core"
)

type closing struct {
	memory
	closed *int
}

func (c closing) Close() error { *c.closed++; return nil }

// TestOutputsHaveARoom: what is still arriving fills it as well, and what was lost gives it back.
func TestOutputsHaveARoom(t *testing.T) {
	o := newOutputs()
	if !o.book(maxOutputs) || !o.book(1) { // up to one record over it
		t.Fatal("no room at first")
	}
	if o.book(1) {
		t.Error("no end of the room")
	}
	o.unbook(2)
	if !o.book(1) {
		t.Error("what was given back is not free")
	}
}

// TestOutputsThatCameTwice: a report that is of no use takes nothing from the one that came after it.
func TestOutputsThatCameTwice(t *testing.T) {
	o, closed := newOutputs(), 0
	k := outputKey{index: 1, attempt: core.Attempt{Incarnation: 1}}
	p := core.Piece{Span: core.Span{Lo: 1, Hi: 2}, Attempt: k.attempt}
	for range 2 {
		o.put(k, Output{Index: 1, Data: closing{closed: &closed}})
	}
	if o.settle(p); closed != 1 || !o.any() {
		t.Fatalf("the first report leaves nothing to the second: %d closed", closed)
	}
	if all := o.take(k); len(all) != 1 {
		t.Fatalf("the second report has %d outputs", len(all))
	}
	o.put(k, Output{Index: 1, Data: closing{closed: &closed}})
	if o.settle(p); closed != 2 || o.any() {
		t.Errorf("what nobody wanted is kept: %d closed", closed)
	}
}

// TestOutputsAfterTheEnd: a report that is being read when the driver ends leaves nothing open, nor does
// an output that comes twice.
func TestOutputsAfterTheEnd(t *testing.T) {
	o, closed := newOutputs(), 0
	k := outputKey{index: 1, attempt: core.Attempt{Incarnation: 1}}
	o.put(k, Output{Index: 1, Data: closing{closed: &closed}})
	if o.put(k, Output{Index: 1, Data: closing{closed: &closed}}); closed != 1 {
		t.Errorf("%d closed of one that came twice", closed)
	}
	o.end()
	if o.put(k, Output{Index: 1, Data: closing{closed: &closed}}); closed != 3 || o.any() {
		t.Errorf("%d closed of 3, any left: %v", closed, o.any())
	}
}

// TestOutputsOfAnyPiece: a peer may report a span of any length.
func TestOutputsOfAnyPiece(t *testing.T) {
	o := newOutputs()
	k := outputKey{index: 1 << 40, attempt: core.Attempt{Incarnation: 1}}
	all := core.Piece{Span: core.Span{Lo: 1, Hi: 1<<64 - 1}, Attempt: k.attempt}
	another := all
	another.Attempt.N++
	o.put(k, Output{Index: k.index, Data: memory("x")})
	if o.settle(another); !o.any() {
		t.Error("what is of another attempt is gone")
	}
	if o.settle(all); o.any() {
		t.Error("what is in the span is kept")
	}
}

// TestBodiesOfManyJobs: those of which no task is here any more make room.
func TestBodiesOfManyJobs(t *testing.T) {
	b := newBodies()
	for k := range uint64(3 * maxHeaders) {
		of := bodyKey{"home", core.JobID{Home: "home", Seq: k}}
		one := core.Span{Lo: 0, Hi: 1}
		b.putHeader(of, []byte("header"))
		b.put(of, 0, [][]byte{[]byte("body")})
		if _, data, _, none := b.get(of, one); len(data) != 1 || none {
			t.Fatalf("there is no room for the %dth job", k+1)
		}
		b.drop(of, one)
	}
	if len(b.of) > maxHeaders {
		t.Errorf("%d headers are kept", len(b.of))
	}
}
