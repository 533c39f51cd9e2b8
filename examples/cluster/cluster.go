// Package cluster gets the examples their nodes: several in this process, which is enough to see
// work move, or one that joins a cluster of other machines where the same example runs with -serve.
package cluster

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/filchsched/filch/node"
)

// Flags say which nodes an example has.
type Flags struct {
	Nodes   int    // in this process
	Workers int    // cores of each; 0: the machine's, shared out evenly
	Join    string // join string, or @FILE
	Listen  string // HOST:PORT; "": on loopback, and nowhere if there is nobody to talk to
	Serve   bool
}

// Register makes them flags of a command.
func (f *Flags) Register(set *flag.FlagSet) {
	set.IntVar(&f.Nodes, "nodes", 1, "run `N` nodes in this process")
	set.IntVar(&f.Workers, "workers", 0, "cores of each node (0: the cores of the machine, divided by -nodes)")
	set.StringVar(&f.Join, "join", "", "join the cluster of this join `STRING` (@FILE reads it from a file)")
	set.StringVar(&f.Listen, "listen", "", "listen on `HOST:PORT` for nodes on other machines, and print a join string")
	set.BoolVar(&f.Serve, "serve", false, "do not begin anything; work for others until interrupted")
}

// maxNodes bounds -nodes: each is a full peer, and knows all others.
const maxNodes = 64

// A Cluster is the nodes of this process.
type Cluster struct {
	Nodes []*node.Node
	stop  context.CancelFunc
}

// Start starts them and waits until the first knows all. It says on log how others can join.
func Start(ctx context.Context, f Flags, log io.Writer) (c *Cluster, err error) {
	join, err := f.joins()
	if err != nil {
		return nil, err
	}
	if f.Nodes < 1 || f.Nodes > maxNodes {
		return nil, fmt.Errorf("-nodes %d is not between 1 and %d", f.Nodes, maxNodes)
	}
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	c = &Cluster{stop: stop}
	defer func() {
		if err != nil {
			c.Close()
		}
	}()
	for i := range f.Nodes {
		n, err := node.Start(life, f.config(i, join))
		if err != nil {
			return c, err
		}
		c.Nodes = append(c.Nodes, n)
		if err := n.WaitJoined(ctx); err != nil {
			return c, err
		}
		if f.Nodes > 1 && len(join) == 0 || i == 0 && f.Listen != "" {
			s, err := n.JoinString(ctx)
			if err != nil {
				return c, err
			}
			join = []string{s}
			if f.Listen != "" {
				fmt.Fprintf(log, "others join with:  -join %s\n", s)
			}
		}
	}
	return c, c.waitKnown(ctx)
}

func (f *Flags) joins() ([]string, error) {
	s := f.Join
	if name, ok := strings.CutPrefix(s, "@"); ok {
		b, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("-join: %w", err)
		}
		s = string(b)
	}
	if s = strings.TrimSpace(s); s == "" {
		return nil, nil
	}
	return []string{s}, nil
}

func (f *Flags) config(i int, join []string) node.Config {
	c := node.Config{Join: join, Workers: f.Workers, DrainTimeout: 2 * time.Second}
	if f.Nodes > 1 {
		c.Name = fmt.Sprint("n", i)
		c.Listen = []string{"127.0.0.1:0"}
	}
	if i == 0 && f.Listen != "" {
		c.Listen = []string{f.Listen}
	}
	if c.Workers == 0 {
		c.Workers = max(1, runtime.GOMAXPROCS(0)/f.Nodes)
	}
	return c
}

// waitKnown returns when the first node has heard of the cores of all others.
func (c *Cluster) waitKnown(ctx context.Context) error {
	for !c.known() {
		watch, cancel := context.WithTimeout(ctx, time.Second)
		for range c.First().Watch(watch) {
			if c.known() {
				break
			}
		}
		cancel()
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	return nil
}

func (c *Cluster) known() bool {
	n := 0
	for _, m := range c.First().Members() {
		if m.State == "alive" && m.Cores > 0 {
			n++
		}
	}
	return n >= len(c.Nodes)
}

// First is the node that the example calls by way of.
func (c *Cluster) First() *node.Node { return c.Nodes[0] }

// Name is the name of a node by its peer ID.
func (c *Cluster) Name(id string) string {
	for _, m := range c.First().Members() {
		if m.ID == id {
			return m.Name
		}
	}
	return id
}

// Serve works for others until ctx is done.
func (c *Cluster) Serve(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-c.First().Done():
		return errors.Join(errors.New("the node has ended"), c.First().Err())
	}
}

// Close says goodbye.
func (c *Cluster) Close() {
	var wg sync.WaitGroup
	for _, n := range c.Nodes {
		wg.Go(func() { _ = n.Drain(context.Background()) })
	}
	wg.Wait()
	c.stop()
	for _, n := range c.Nodes {
		<-n.Done()
	}
}
