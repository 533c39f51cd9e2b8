package node

import (
	"bytes"
	"context"
	"testing"
	"time"
)

// TestEnvelope: what goes in comes out.
func TestEnvelope(t *testing.T) {
	for _, e := range []envelope{{}, {left: time.Second}, {depth: 3, parent: "n/1.2/3.4"}, {left: 1, depth: MaxNesting, parent: ""}} {
		got, args, err := openEnvelope(append(e.append(nil), "args"...))
		if err != nil || got != e || string(args) != "args" {
			t.Errorf("%+v became %+v, %q, %v", e, got, args, err)
		}
	}
}

// FuzzOpenEnvelope: whatever comes is read as something that append writes, or refused.
func FuzzOpenEnvelope(f *testing.F) {
	f.Add([]byte{})
	f.Add((&envelope{left: time.Hour, depth: 2, parent: "p"}).append(nil))
	f.Add([]byte{3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		e, args, err := openEnvelope(b)
		if err != nil {
			return
		}
		if e.left < 0 || e.depth < 0 || e.depth > MaxNesting || len(e.parent) > maxParentID {
			t.Fatalf("%+v", e)
		}
		again, rest, err := openEnvelope(append(e.append(nil), args...))
		if err != nil || again != e && e.depth > 0 || !bytes.Equal(rest, args) {
			t.Fatalf("%+v became %+v, %v", e, again, err)
		}
	})
}

// TestAChildCostsOneAllocation, whatever else it does.
func TestAChildCostsOneAllocation(t *testing.T) {
	n, err := Start(t.Context(), Config{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Drain(context.Background())
	few, err := allocs.Call(t.Context(), n, 1000)
	if err != nil || few > 1.2 {
		t.Errorf("%.2f allocations for a child, %v", few, err)
	}
}

// allocs is how many allocations a child takes, of so many.
var allocs = Define("test/allocs", func(ctx context.Context, n int) (float64, error) {
	for i := range n { // frames of the engine
		benchSame.Go(ctx, nil, i).Wait(ctx)
	}
	return testing.AllocsPerRun(n, func() { benchSame.Go(ctx, nil, 1).Wait(ctx) }), nil
})
