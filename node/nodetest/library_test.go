package nodetest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/filchsched/filch/node"
	"github.com/filchsched/filch/node/nodetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestCallHere: a call on a node of one returns what the function does, in every form.
func TestCallHere(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t, 1).Node(0)
	if v, err := square.Call(t.Context(), n, 7); v != 49 || err != nil {
		t.Errorf("%d, %v", v, err)
	}
	f := square.Go(t.Context(), n, 8)
	<-f.Done()
	for range 2 {
		if v, err := f.Wait(t.Context()); v != 64 || err != nil {
			t.Errorf("%d, %v", v, err)
		}
	}
	got, err := square.MapSlice(t.Context(), n, []int{1, 2, 3})
	if err != nil || !slices.Equal(got, []int{1, 4, 9}) {
		t.Errorf("%v, %v", got, err)
	}
	if square.Name() != "square" || square.Version() != "v1" || len(fails.Version()) != 12 {
		t.Errorf("%q %q %q", square.Name(), square.Version(), fails.Version())
	}
}

// TestCallThere: At has another node run it, which returns values of all sorts.
func TestCallThere(t *testing.T) {
	t.Parallel()
	c := nodetest.Start(t, 2)
	there := c.Node(1).ID()
	if at, err := place.Call(t.Context(), c.Node(0), struct{}{}, node.At(there)); at != there || err != nil {
		t.Errorf("ran at %q, not %q: %v", at, there, err)
	}
	in := parcel{At: time.Now(), Data: []byte{1, 0}, Names: map[string][]int{"a": {1, -2}}, Next: &parcel{}}
	for _, o := range [][]node.CallOption{nil, {node.At(there)}} {
		out, err := echo.Call(t.Context(), c.Node(0), in, o...)
		if err != nil || !out.At.Equal(in.At) || string(out.Data) != "\x01\x00" || fmt.Sprint(out.Names) != "map[a:[1 -2]]" || out.Next == nil || out.Next.Next != nil {
			t.Errorf("%+v, %v", out, err)
		}
	}
}

// TestFailuresSayWhatAndWhere: errors and panics, here and there, name the function and the node, and their kind.
func TestFailuresSayWhatAndWhere(t *testing.T) {
	t.Parallel()
	c := nodetest.Start(t, 2)
	for i := range 2 {
		at := c.Node(i).ID()
		var e *node.TaskError
		_, err := fails.Call(t.Context(), c.Node(0), "no luck", node.At(at))
		if !errors.As(err, &e) || e.Node != at || e.Reason != "no luck" || !strings.HasPrefix(e.Function, "fails@") || errors.Is(err, node.ErrPanic) {
			t.Errorf("at %d: %#v", i, err)
		}
		_, err = panics.Call(t.Context(), c.Node(0), "oh no", node.At(at))
		if !errors.As(err, &e) || !errors.Is(err, node.ErrPanic) || e.Reason != "panic: oh no" || !strings.Contains(e.Stack, "functions_test.go") || e.Node != at {
			t.Errorf("at %d: %#v", i, err)
		}
	}
	if v, err := square.Call(t.Context(), c.Node(1), 3); v != 9 || err != nil {
		t.Errorf("after the panics: %d, %v", v, err)
	}
}

// TestAChangedArgumentIsFound by EncodeAlways.
func TestAChangedArgumentIsFound(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t, 1).Node(0)
	if _, err := changes.Call(t.Context(), n, []int{1}); err == nil || !strings.Contains(err.Error(), "read-only") {
		t.Errorf("%v", err)
	}
}

// TestRecursionSpreads: children of children run at other nodes, and every leaf once.
func TestRecursionSpreads(t *testing.T) {
	t.Parallel()
	c := nodetest.Start(t, 3)
	got, err := tree.Call(t.Context(), c.Node(0), branch{Levels: 3, Fan: 5, Leaf: 5 * time.Millisecond}, node.Local())
	if err != nil {
		t.Fatal(err)
	}
	sum := 0
	for _, n := range got {
		sum += n
	}
	if sum != 125 || len(got) < 2 {
		t.Errorf("%d leaves: %v", sum, got)
	}
}

// TestFib: fine-grained recursion is right over two nodes, and alone.
func TestFib(t *testing.T) {
	t.Parallel()
	for n := 1; n <= 2; n++ {
		c := nodetest.Start(t, n, nodetest.Unencoded)
		if v, err := fib.Call(t.Context(), c.Node(0), 22); v != 17711 || err != nil {
			t.Errorf("over %d nodes: %d, %v", n, v, err)
		}
	}
}

// TestTooDeepIsAnErrorOfTheCall, not the end of the program.
func TestTooDeepIsAnErrorOfTheCall(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t, 1, nodetest.Unencoded).Node(0)
	if _, err := deep.Call(t.Context(), n, 0); !errors.Is(err, node.ErrTooDeep) {
		t.Errorf("%v", err)
	}
}

// TestCancelReachesEveryNode: the context of the caller, and Future.Cancel, end a tree of calls.
func TestCancelReachesEveryNode(t *testing.T) {
	t.Parallel()
	c := nodetest.Start(t, 2, nodetest.Workers(2))
	because := errors.New("because")
	for _, there := range c.Nodes() {
		ctx, cancel := context.WithCancelCause(t.Context())
		f := waits.Go(ctx, c.Node(0), time.Hour, node.At(there.ID()))
		cancel(because)
		if _, err := f.Wait(t.Context()); !errors.Is(err, because) {
			t.Errorf("%v", err)
		}
		f = waits.Go(t.Context(), c.Node(0), time.Hour, node.At(there.ID()))
		f.Cancel(because)
		if _, err := f.Wait(t.Context()); !errors.Is(err, because) {
			t.Errorf("%v", err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	f := spreads.Go(ctx, c.Node(0), slices.Repeat([]time.Duration{time.Hour}, 4))
	cancel()
	if _, err := f.Wait(t.Context()); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	// The cores are free again.
	for _, there := range c.Nodes() {
		if _, err := waits.MapSlice(t.Context(), c.Node(0), make([]time.Duration, 4), node.At(there.ID())); err != nil {
			t.Error(err)
		}
	}
}

// TestDeadlinesTravel: a call that takes too long ends where it runs, and its caller hears why.
func TestDeadlinesTravel(t *testing.T) {
	t.Parallel()
	c := nodetest.Start(t, 2)
	for _, there := range c.Nodes() {
		_, err := waits.Call(t.Context(), c.Node(0), time.Hour, node.At(there.ID()), node.Timeout(20*time.Millisecond))
		if !errors.Is(err, node.ErrTimedOut) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
	}
}

// TestMapStreams: an endless input, bounded memory, outcomes in order or as they come, failures among them.
func TestMapStreams(t *testing.T) {
	t.Parallel()
	c := nodetest.Start(t, 2)
	var asked atomic.Int64
	numbers := func(yield func(int) bool) {
		for i := 0; ; i++ {
			asked.Add(1)
			if !yield(i) {
				return
			}
		}
	}
	next := 0
	for o := range square.Map(t.Context(), c.Node(0), numbers, node.MaxInFlight(10)) {
		if o.Index != next || o.Value != next*next || o.Err != nil {
			t.Fatalf("%+v at %d", o, next)
		}
		if next++; next == 200 {
			break
		}
		if ahead := asked.Load() - int64(next); ahead > 10 {
			t.Fatalf("%d ahead", ahead)
		}
	}
	seen := make(map[int]bool)
	for o := range square.Map(t.Context(), c.Node(0), numbers, node.AsTheyEnd(), node.MaxInFlight(10)) {
		if seen[o.Index] || o.Value != o.Index*o.Index {
			t.Fatalf("%+v", o)
		}
		if seen[o.Index] = true; len(seen) == 200 {
			break
		}
	}
	failed := 0
	for o := range fails.Map(t.Context(), c.Node(0), slices.Values([]string{"a", "b", "c"})) {
		if o.Err != nil {
			failed++
		}
	}
	if failed != 3 {
		t.Errorf("%d failed", failed)
	}
}

// TestMapSliceStopsAtAFailure and says which it was.
func TestMapSliceStopsAtAFailure(t *testing.T) {
	t.Parallel()
	c := nodetest.Start(t, 2)
	_, err := fails.MapSlice(t.Context(), c.Node(0), []string{"first", "second"})
	var m *node.MapError
	var e *node.TaskError
	if !errors.As(err, &m) || !errors.As(err, &e) || e.Reason != []string{"first", "second"}[m.Index] {
		t.Errorf("%v", err)
	}
}

// TestReduceKeepsTheOrder and combines parts over nodes.
func TestReduceKeepsTheOrder(t *testing.T) {
	t.Parallel()
	c := nodetest.Start(t, 2)
	var want strings.Builder
	in := make([]int, 1000)
	for i := range in {
		in[i] = i
		fmt.Fprint(&want, i, " ")
	}
	if got, err := joined.ReduceSlice(t.Context(), c.Node(0), in); err != nil || got != want.String() {
		t.Errorf("%v: %.80s", err, got)
	}
	if got, err := joined.Reduce(t.Context(), c.Node(0), slices.Values(in)); err != nil || got != want.String() {
		t.Errorf("%v: %.80s", err, got)
	}
	n, err := words.ReduceSlice(t.Context(), c.Node(0), slices.Repeat([]string{"to be or", "not to be"}, 50))
	if err != nil || n["to"] != 100 || n["or"] != 50 {
		t.Errorf("%v, %v", n, err)
	}
}

// TestKilledNodesLoseNothing: what they ran runs again elsewhere, and each result is there once.
func TestKilledNodesLoseNothing(t *testing.T) {
	t.Parallel()
	c := nodetest.Start(t, 3)
	in := slices.Repeat([]time.Duration{20 * time.Millisecond}, 200)
	f, begun := make(chan error, 1), make(chan struct{})
	var got []string
	go func() {
		defer close(f)
		if _, err := waits.Call(t.Context(), c.Node(0), 0, node.At(c.Node(2).ID())); err != nil {
			f <- err
		}
		close(begun)
		var err error
		got, err = waits.MapSlice(t.Context(), c.Node(0), in)
		f <- err
	}()
	<-begun // any moment from here on will do
	c.Kill(2)
	if err := <-f; err != nil {
		t.Fatal(err)
	}
	for i, at := range got {
		if at == "" {
			t.Errorf("call %d has no result", i)
		}
	}
}

// TestDrainingNodeRefuses calls with an error of its own.
func TestDrainingNodeRefuses(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t, 1).Node(0)
	if err := n.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := square.Call(t.Context(), n, 1); !errors.Is(err, node.ErrDraining) {
		t.Errorf("%v", err)
	}
}
