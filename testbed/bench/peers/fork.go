package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/filchsched/filch/node"
	"github.com/filchsched/filch/testbed/uts"
)

// Fork-join over nodes: the recursive functions of a child process, and how they are measured.

// What is asked for by Do "fork": a Text of these, with N.
const (
	forkFib    = "fib"
	forkQueens = "queens"
	forkTree   = "tree" // N is an index of trees
)

// trees are what "tree" searches.
var trees = []string{"T1", "T1L"}

var (
	fib    node.Func[int, int]
	queens node.Func[board, int]
	search node.Func[uts.Part, uts.Count]
)

func init() {
	fib = node.Define(forkFib, func(ctx context.Context, n int) (int, error) {
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
	queens = node.Define(forkQueens, func(ctx context.Context, b board) (int, error) { return b.place(ctx) })
	search = node.Define(forkTree, searchPart)
}

// A board has queens in its first rows, one for each; the bits are the columns that they attack in the next one.
type board struct {
	N, Row            int
	Down, Left, Right uint32
}

// place counts the ways to place the rest of the queens: a child for each way to place the next.
func (b board) place(ctx context.Context) (ways int, err error) {
	if b.Row == b.N {
		return 1, nil
	}
	var children []*node.Future[int]
	for free := (1<<b.N - 1) &^ (b.Down | b.Left | b.Right); free != 0; free &= free - 1 {
		q := free & -free
		children = append(children, queens.Go(ctx, nil, board{b.N, b.Row + 1, b.Down | q, (b.Left | q) << 1, (b.Right | q) >> 1}))
	}
	for _, c := range slices.Backward(children) {
		n, err := c.Wait(ctx)
		if err != nil {
			return 0, err
		}
		ways += n
	}
	return ways, nil
}

// searchPart walks over a part of a tree, and splits off what somebody idle would take.
func searchPart(ctx context.Context, p uts.Part) (uts.Count, error) {
	tree, err := uts.New(p.Params)
	if err != nil {
		return uts.Count{}, err
	}
	w := uts.NewWalker(tree, p)
	var others []*node.Future[uts.Count]
	for w.Steps(64) {
		if node.Hungry(ctx) {
			if half, ok := w.Split(); ok {
				others = append(others, search.Go(ctx, nil, half))
			}
		}
	}
	all := w.Count()
	for _, o := range slices.Backward(others) {
		c, err := o.Wait(ctx)
		if err != nil {
			return all, err
		}
		all.Add(c)
	}
	return all, ctx.Err()
}

// fork runs one of the functions and checks what it returns.
func fork(ctx context.Context, n *node.Node, q *request) (r reply, err error) {
	begun := time.Now()
	defer func() { r.Took = time.Since(begun) }()
	switch q.To {
	case forkFib:
		got, err := fib.Call(ctx, n, q.N)
		return r, check(got, fibOf(q.N), err)
	case forkQueens:
		got, err := queens.Call(ctx, n, board{N: q.N})
		return r, check(got, queensOf[q.N], err)
	case forkTree:
		tree, want, err := treeOf(q.N)
		if err != nil {
			return r, err
		}
		root := tree.Root()
		children := tree.Children(&root)
		var got uts.Count
		got.Visit(&root, children)
		rest, err := search.Call(ctx, n, uts.Part{Params: tree.Params(), Parent: root, Hi: int32(children)})
		got.Add(rest)
		return r, check(got, want, err)
	}
	return r, fmt.Errorf("unknown function %q", q.To)
}

// alone searches a tree in one goroutine, without filch.
func alone(q *request) (r reply, err error) {
	tree, want, err := treeOf(q.N)
	if err != nil {
		return r, err
	}
	begun := time.Now()
	got := tree.Search()
	r.Took = time.Since(begun)
	return r, check(got, want, nil)
}

func treeOf(i int) (*uts.Tree, uts.Count, error) {
	published, _ := uts.Published(trees[i])
	tree, err := uts.Parse(trees[i])
	return tree, published.Count, err
}

func check[T comparable](got, want T, err error) error {
	if err == nil && got != want {
		err = fmt.Errorf("the result is %v, not %v", got, want)
	}
	return err
}

func fibOf(n int) int {
	a, b := 0, 1
	for range n {
		a, b = b, a+b
	}
	return a
}

// queensOf is in how many ways so many queens stand on a board.
var queensOf = map[int]int{8: 92, 10: 724, 12: 14200}

// measureFork: recursive functions over two nodes of one core, beside the same on one of the two processes, that has left the cluster; and trees
// beside as many sequential searches at once.
func measureFork(a, b *process, rounds int) error {
	solo, err := start("solo", "", 0, nil)
	if err != nil {
		return err
	}
	defer solo.end()
	for _, q := range []request{{Do: "fork", To: forkFib, N: 32}, {Do: "fork", To: forkQueens, N: 12}} {
		var ratios, over, one []float64
		for range rounds {
			both, err := a.ask(q)
			if err != nil {
				return err
			}
			single, err := solo.ask(q)
			if err != nil {
				return err
			}
			over, one = append(over, both.Took.Seconds()), append(one, single.Took.Seconds())
			ratios = append(ratios, single.Took.Seconds()/both.Took.Seconds())
		}
		fmt.Printf("fork: %s(%d) over two nodes of one core: %.3f s; on one: %.3f s; times as fast: %.2f %s\n", q.To, q.N, median(over), median(one), median(ratios), span(ratios, "%.2f"))
	}
	for i, name := range trees {
		var ratios []float64
		for range max(1, min(rounds, 3)) {
			both, err := a.ask(request{Do: "fork", To: forkTree, N: i})
			if err != nil {
				return err
			}
			q := request{Do: "alone", N: i}
			other := make(chan error, 1)
			var rb reply
			go func() {
				var err error
				rb, err = b.ask(q)
				other <- err
			}()
			ra, err := a.ask(q)
			if e := <-other; err == nil {
				err = e
			}
			if err != nil {
				return err
			}
			ratios = append(ratios, max(ra.Took, rb.Took).Seconds()/2/both.Took.Seconds())
		}
		fmt.Printf("fork: tree %s over two nodes of one core, of the rate of two sequential searches at once: %.3f %s\n", name, median(ratios), span(ratios, "%.3f"))
	}
	return nil
}
