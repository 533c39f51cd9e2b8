// Command wordcount counts the words of files over several nodes and prints the most frequent ones.
//
//	go run ./examples/wordcount -nodes 2 -check *.md docs/*.md
//
// Files are read here and travel in chunks, so that the other nodes need not have them. Reduce puts counts together near where
// they are made. With -check the words are counted again by one goroutine, and a difference is an error.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"slices"

	"github.com/filchsched/filch/examples/cluster"
	"github.com/filchsched/filch/node"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "wordcount:", err)
		}
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out, log io.Writer) error {
	set := flag.NewFlagSet("wordcount", flag.ContinueOnError)
	set.SetOutput(log)
	var c cluster.Flags
	c.Register(set)
	top := set.Int("top", 10, "print the `N` most frequent words")
	check := set.Bool("check", false, "compare with a sequential count")
	if err := set.Parse(args); err != nil {
		return err
	}
	if set.NArg() == 0 && !c.Serve {
		return errors.New("name the files to count the words of")
	}
	nodes, err := cluster.Start(ctx, c, log)
	if err != nil {
		return err
	}
	defer nodes.Close()
	if c.Serve {
		return nodes.Serve(ctx)
	}
	got, err := countFiles(ctx, nodes.First(), set.Args())
	if err != nil {
		return err
	}
	print(out, got, *top)
	if *check {
		return compare(set.Args(), got, out)
	}
	return nil
}

func countFiles(ctx context.Context, n *node.Node, names []string) (Counts, error) {
	var failed error
	got, err := count.Reduce(ctx, n, chunks(names, &failed))
	if failed != nil {
		return nil, failed
	}
	return got, err
}

// print prints the most frequent words, and how many there are.
func print(out io.Writer, c Counts, top int) {
	all := slices.SortedFunc(maps.Keys(c), func(a, b string) int { return cmp.Or(cmp.Compare(c[b], c[a]), cmp.Compare(a, b)) })
	sum := 0
	for _, n := range c {
		sum += n
	}
	for _, w := range all[:max(0, min(top, len(all)))] {
		fmt.Fprintf(out, "%9d %s\n", c[w], w)
	}
	fmt.Fprintf(out, "%d words, %d different ones\n", sum, len(c))
}

// compare returns the first difference to a sequential count.
func compare(names []string, got Counts, out io.Writer) error {
	want, err := sequential(names)
	if err != nil {
		return err
	}
	for _, c := range []Counts{want, got} {
		for _, w := range slices.Sorted(maps.Keys(c)) {
			if want[w] != got[w] {
				return fmt.Errorf("%q was counted %d times over the nodes and %d times sequentially", w, got[w], want[w])
			}
		}
	}
	fmt.Fprintln(out, "a sequential count says the same")
	return nil
}
