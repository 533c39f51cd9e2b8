package nodetest_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/filchsched/filch/node"
	"github.com/filchsched/filch/node/nodetest"
)

// A nilError is what a function returns that gets its error's type wrong: it is not nil, and cannot be printed.
type nilError struct{ why string }

func (e *nilError) Error() string { return e.why }

// A panicCodec cannot encode some values, in the worst way.
type panicCodec struct{}

func (panicCodec) Append(b []byte, v int) ([]byte, error) {
	if v < 0 {
		panic("negative")
	}
	return append(b, byte(v)), nil
}

func (panicCodec) Decode(b []byte) (int, error) { return int(b[0]), nil }

var (
	exits = node.Define("exits", func(_ context.Context, i int) (int, error) {
		if i%3 == 1 {
			runtime.Goexit()
		}
		return i, nil
	})

	typedNil = node.Define("typed-nil", func(context.Context, int) (int, error) {
		var e *nilError
		return 0, e
	})

	typedNilChild = node.Define("typed-nil-child", func(ctx context.Context, _ int) (string, error) {
		f := typedNil.Go(ctx, nil, 1)
		_, err := f.Wait(ctx)
		if !errors.Is(err, node.ErrPanic) {
			return "", err
		}
		<-f.Done()
		return err.Error(), nil
	})

	badCodec = node.Define("bad-codec", func(_ context.Context, i int) (int, error) { return i, nil },
		node.Codecs[int, int](panicCodec{}, panicCodec{}))

	// polls is a child that looks at its context, and does not wait for it.
	pollsBegun, pollsEnded = make(chan struct{}), make(chan struct{})
	polls                  = node.Define("polls", func(ctx context.Context, _ int) (int, error) {
		close(pollsBegun)
		for ctx.Err() == nil {
			runtime.Gosched()
		}
		close(pollsEnded)
		return 0, nil
	})
	leavesPolls = node.Define("leaves-polls", func(ctx context.Context, _ int) (int, error) {
		polls.Go(ctx, nil, 1)
		<-pollsBegun
		return 0, nil
	})
	waitsForPolls = node.Define("waits-for-polls", func(ctx context.Context, _ int) (bool, error) {
		if _, err := leavesPolls.Call(ctx, nil, 1); err != nil {
			return false, err
		}
		select {
		case <-pollsEnded:
			return true, nil
		case <-ctx.Done():
			return false, ctx.Err()
		}
	})
)

// TestGoexitEndsOneCall: the other calls of its piece have results of their own.
func TestGoexitEndsOneCall(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t, 1).Node(0)
	in := func(yield func(int) bool) {
		for i := range 300 {
			if !yield(i) {
				return
			}
		}
	}
	for o := range exits.Map(t.Context(), n, in) {
		if o.Index%3 == 1 {
			if !errors.Is(o.Err, node.ErrPanic) || !strings.Contains(o.Err.Error(), "Goexit") {
				t.Fatalf("%+v", o)
			}
		} else if o.Err != nil || o.Value != o.Index {
			t.Fatalf("%+v", o)
		}
	}
}

// TestAnErrorThatPanics is a failure of the child, which ends all the same.
func TestAnErrorThatPanics(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t, 1).Node(0)
	if v, err := typedNilChild.Call(t.Context(), n, 1); err != nil || v == "" {
		t.Errorf("%q, %v", v, err)
	}
}

// TestReduceIsWholeOrAnError: what a context has cut short is not taken for the result.
func TestReduceIsWholeOrAnError(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t, 1).Node(0)
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	cancel(why)
	in := func(yield func(int) bool) { _ = yield(1) && yield(2) }
	if v, err := joined.Reduce(t.Context(), n, in, node.AsTheyEnd()); v != "1 2 " || err != nil {
		t.Errorf("%q, %v", v, err)
	}
	if v, err := joined.Reduce(ctx, n, in); !errors.Is(err, why) {
		t.Errorf("%q, %v", v, err)
	}
}

// TestACodecThatPanics fails the call, and takes nothing else down.
func TestACodecThatPanics(t *testing.T) {
	t.Parallel()
	c := nodetest.Start(t, 2, nodetest.Unencoded)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, err := badCodec.Call(ctx, c.Node(0), -1, node.At(c.Node(1).ID())); err == nil || !strings.Contains(err.Error(), "negative") {
		t.Errorf("%v", err)
	}
	if v, err := badCodec.Call(ctx, c.Node(0), 3, node.At(c.Node(1).ID())); v != 3 || err != nil {
		t.Errorf("%d, %v", v, err)
	}
}

// TestChildrenLeftBehindAreCancelled, also those that only look.
func TestChildrenLeftBehindAreCancelled(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t, 1, nodetest.Workers(2)).Node(0)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if ok, err := waitsForPolls.Call(ctx, n, 1); !ok || err != nil {
		t.Errorf("%v, %v", ok, err)
	}
}

// TestTheZeroFunc is an error that says so.
func TestTheZeroFunc(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t, 1).Node(0)
	var none node.Func[int, int]
	if _, err := none.Call(t.Context(), n, 1); err == nil || !strings.Contains(err.Error(), "Define") {
		t.Errorf("%v", err)
	}
	if _, err := none.MapSlice(t.Context(), n, []int{1}); err == nil || !strings.Contains(err.Error(), "Define") {
		t.Errorf("%v", err)
	}
}
