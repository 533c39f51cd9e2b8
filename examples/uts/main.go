// Command uts searches an unbalanced tree over several nodes and counts it exactly.
//
//	go run ./examples/uts -t 1 -a 3 -d 10 -b 4 -r 19 -nodes 2
//	go run ./examples/uts -nodes 4 T3
//
// The tree is that of the Unbalanced Tree Search benchmark, with the flags of its reference program (-t -a -d -b -r -q -m -f,
// also as -t1 -d10) or the name of a published tree. Nobody can foresee how large a subtree is, so a fixed division of the work
// would leave most cores idle; here tasks split while somebody is idle, and what is lost or counted twice shows in the
// last line:
//
//	nodes=4130071 depth=10 leaves=3305118
//
// Over several machines: one runs it with -serve -listen HOST:PORT, which prints a join string for the others.
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
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/filchsched/filch/examples/cluster"
	"github.com/filchsched/filch/testbed/uts"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "uts:", err)
		}
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out, log io.Writer) error {
	o, err := parse(args, log)
	if err != nil {
		return err
	}
	c, err := cluster.Start(ctx, o.cluster, log)
	if err != nil {
		return err
	}
	defer c.Close()
	if o.cluster.Serve {
		return c.Serve(ctx)
	}
	start := time.Now()
	f, err := searchAll(ctx, c.First(), o.tree)
	if err != nil {
		return err
	}
	took := time.Since(start)
	fmt.Fprintf(out, "%v: %.2f s, %.2f M nodes/s\n", o.tree, took.Seconds(), float64(f.Count.Nodes)/1e6/took.Seconds())
	ids := slices.SortedFunc(maps.Keys(f.By), func(a, b string) int { return cmp.Compare(c.Name(a), c.Name(b)) })
	for _, id := range ids {
		fmt.Fprintf(out, "%-12s %11d  %5.1f %%\n", c.Name(id), f.By[id], 100*float64(f.By[id])/float64(f.Count.Nodes))
	}
	fmt.Fprintf(out, "nodes=%d depth=%d leaves=%d\n", f.Count.Nodes, f.Count.Depth, f.Count.Leaves)
	return nil
}

type options struct {
	cluster cluster.Flags
	tree    uts.Params
}

// treeFlags are those of the reference program; what they mean is told by uts.Params.
var treeFlags = map[string]string{
	"t": "type of the tree: 0 binomial, 1 geometric, 2 hybrid",
	"a": "how a geometric tree's mean changes with depth: 0 linear, 1 expdec, 2 cyclic, 3 fixed",
	"d": "depth that -a refers to",
	"b": "children of the root",
	"r": "seed of the root",
	"q": "probability that a binomial node has children",
	"m": "how many it then has",
	"f": "a hybrid tree is geometric above this part of -d",
}

// glued is a flag of the reference program with its value behind it, as in -t1.
var glued = regexp.MustCompile(`^-([tadbrqmf])([-+.0-9].*)$`)

func parse(args []string, log io.Writer) (o options, err error) {
	set := flag.NewFlagSet("uts", flag.ContinueOnError)
	set.SetOutput(log)
	o.cluster.Register(set)
	var words []string
	for name, usage := range treeFlags {
		set.Func(name, usage, func(v string) error {
			words = append(words, "-"+name, v)
			return nil
		})
	}
	var apart []string
	for _, a := range args {
		if m := glued.FindStringSubmatch(a); m != nil {
			apart = append(apart, "-"+m[1], m[2])
			continue
		}
		apart = append(apart, a)
	}
	var named []string // what is no flag; flags may follow
	for rest := apart; len(rest) > 0; {
		if err := set.Parse(rest); err != nil {
			return o, err
		}
		if rest = set.Args(); len(rest) > 0 {
			named, rest = append(named, rest[0]), rest[1:]
		}
	}
	if len(named) > 0 && len(named)+len(words) > 1 {
		return o, fmt.Errorf("%s: say either one published tree or the flags of one", strings.Join(append(named, words...), " "))
	}
	o.tree, err = uts.ParseParams(strings.Join(append(named, words...), " "))
	return o, err
}
