package node_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/filchsched/filch/node"
)

// Functions are package variables: every node of the program knows them when it starts.
var (
	double = node.Define("example/double", func(_ context.Context, x int) (int, error) {
		if x > 1000 {
			return 0, errors.New("too much for me")
		}
		return 2 * x, nil
	}, node.Version(1))

	count = node.DefineReduce("example/count", func(_ context.Context, line string) (map[string]int, error) {
		n := make(map[string]int)
		for _, word := range strings.Fields(line) {
			n[word]++
		}
		return n, nil
	}, func(a, b map[string]int) map[string]int {
		for word, n := range b {
			a[word] += n
		}
		return a
	}, node.Version(1))
)

// start starts a node on its own; with Listen and Join in the Config it would be a member of a cluster.
func start(ctx context.Context) *node.Node {
	n, err := node.Start(ctx, node.Config{Workers: 2})
	if err != nil {
		panic(err)
	}
	return n
}

func Example() {
	ctx := context.Background()
	n := start(ctx)
	defer n.Drain(ctx)

	v, err := double.Call(ctx, n, 21)
	fmt.Println(v, err)

	_, err = double.Call(ctx, n, 1001)
	var failure *node.TaskError
	fmt.Println(errors.As(err, &failure), failure.Reason)
	// Output:
	// 42 <nil>
	// true too much for me
}

func ExampleFunc_Go() {
	ctx := context.Background()
	n := start(ctx)
	defer n.Drain(ctx)

	a, b := double.Go(ctx, n, 1), double.Go(ctx, n, 2) // both are under way
	x, _ := a.Wait(ctx)
	y, _ := b.Wait(ctx)
	fmt.Println(x + y)
	// Output: 6
}

func ExampleFunc_MapSlice() {
	ctx := context.Background()
	n := start(ctx)
	defer n.Drain(ctx)

	fmt.Println(double.MapSlice(ctx, n, []int{1, 2, 3}))
	// Output: [2 4 6] <nil>
}

func ExampleFunc_Map() {
	ctx := context.Background()
	n := start(ctx)
	defer n.Drain(ctx)

	var endless iter.Seq[int] = func(yield func(int) bool) {
		for i := 999; yield(i); i++ {
		}
	}
	for o := range double.Map(ctx, n, endless, node.MaxInFlight(8)) {
		if o.Err != nil {
			fmt.Println(o.Index, "failed")
			break
		}
		fmt.Println(o.Index, o.Value)
	}
	// Output:
	// 0 1998
	// 1 2000
	// 2 failed
}

func ExampleReducer_ReduceSlice() {
	ctx := context.Background()
	n := start(ctx)
	defer n.Drain(ctx)

	words, err := count.ReduceSlice(ctx, n, []string{"to be or", "not to be"})
	for _, w := range slices.Sorted(maps.Keys(words)) {
		fmt.Print(w, " ", words[w], "; ")
	}
	fmt.Println(err)
	// Output: be 2; not 1; or 1; to 2; <nil>
}

// sum is recursive, so it is defined where it can name itself.
var sum node.Func[[]int, int]

func init() {
	sum = node.Define("example/sum", func(ctx context.Context, in []int) (int, error) {
		if len(in) <= 2 {
			return total(in), nil
		}
		left := sum.Go(ctx, nil, in[:len(in)/2]) // a child: another core or node may take it
		right, err := sum.Call(ctx, nil, in[len(in)/2:])
		if err != nil {
			return 0, err
		}
		rest, err := left.Wait(ctx)
		return rest + right, err
	}, node.Version(1))
}

func total(in []int) (all int) {
	for _, x := range in {
		all += x
	}
	return all
}

func ExampleFunc_Call_forkJoin() {
	ctx := context.Background()
	n := start(ctx)
	defer n.Drain(ctx)

	fmt.Println(sum.Call(ctx, n, []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}))
	// Output: 55 <nil>
}
