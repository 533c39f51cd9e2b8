package nodetest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/filchsched/filch/node"
)

// The functions that the tests call.
var (
	square = node.Define("square", func(_ context.Context, x int) (int, error) { return x * x, nil }, node.Version(1))

	place = node.Define("place", func(ctx context.Context, _ struct{}) (string, error) { return node.Here(ctx).ID(), nil })

	fails = node.Define("fails", func(_ context.Context, why string) (int, error) { return 0, errors.New(why) })

	panics = node.Define("panics", func(_ context.Context, why string) (int, error) { panic(why) })

	changes = node.Define("changes", func(_ context.Context, in []int) (int, error) {
		in[0]++
		return in[0], nil
	})

	echo = node.Define("echo", func(_ context.Context, in parcel) (parcel, error) { return in, nil })

	waits = node.Define("waits", func(ctx context.Context, d time.Duration) (string, error) {
		select {
		case <-time.After(d):
			return node.Here(ctx).ID(), nil
		case <-ctx.Done():
			return "", context.Cause(ctx)
		}
	})

	spreads = node.Define("spreads", func(ctx context.Context, in []time.Duration) ([]string, error) {
		return waits.MapSlice(ctx, nil, in)
	})

	words = node.DefineReduce("words", func(_ context.Context, text string) (map[string]int, error) {
		n := make(map[string]int)
		for _, w := range strings.Fields(text) {
			n[w]++
		}
		return n, nil
	}, func(a, b map[string]int) map[string]int {
		if a == nil {
			return b
		}
		for w, n := range b {
			a[w] += n
		}
		return a
	})

	joined = node.DefineReduce("joined", func(_ context.Context, i int) (string, error) { return fmt.Sprint(i, " "), nil },
		func(a, b string) string { return a + b })
)

// These are recursive, so they are defined where they can name themselves.
var (
	fib  node.Func[int, int]
	deep node.Func[int, int]
	tree node.Func[branch, map[string]int]
)

func init() {
	deep = node.Define("deep", func(ctx context.Context, n int) (int, error) { return deep.Go(ctx, nil, n+1).Wait(ctx) })
	tree = node.Define("tree", growTree)
	fib = node.Define("fib", func(ctx context.Context, n int) (int, error) {
		if n < 2 {
			return n, nil
		}
		a := fib.Go(ctx, nil, n-1)
		b, err := fib.Call(ctx, nil, n-2)
		if err != nil {
			return 0, err
		}
		c, err := a.Wait(ctx)
		return b + c, err
	})
}

// A parcel has values that are not plain.
type parcel struct {
	At    time.Time
	Data  []byte
	Names map[string][]int
	Next  *parcel
}

// A branch of growTree: so many levels of Fan children, the leaves of which take a while.
type branch struct {
	Levels, Fan int
	Leaf        time.Duration
}

// growTree returns how many leaves ran at which node.
func growTree(ctx context.Context, b branch) (map[string]int, error) {
	if b.Levels == 0 {
		select {
		case <-time.After(b.Leaf):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		return map[string]int{node.Here(ctx).ID(): 1}, nil
	}
	b.Levels--
	var futures []*node.Future[map[string]int]
	for range b.Fan {
		futures = append(futures, tree.Go(ctx, nil, b))
	}
	all := make(map[string]int)
	for _, f := range futures {
		one, err := f.Wait(ctx)
		if err != nil {
			return nil, err
		}
		for k, n := range one {
			all[k] += n
		}
	}
	return all, nil
}
