// Command offload is a camera that filters its frames: itself, or at a node that is faster but lies behind a link. It decides for
// each frame, and prints why.
//
//	go run ./examples/offload
//
// Midway the link turns slow. Nobody tells the camera: it notices that frames take longer there than was expected, and
// filters them itself.
//
// Camera and helper are two nodes of this process (or -join a cluster where the example runs with -serve). What makes
// the camera slow and the link slow is in link.go.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"github.com/filchsched/filch/examples/cluster"
	"github.com/filchsched/filch/node"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "offload:", err)
		}
		stop()
		os.Exit(1)
	}
}

type options struct {
	frames, size int
	slow         int   // how many times slower the camera's core is
	rate         int64 // bytes per second of the slow link
	explain      bool
}

// maxEdge keeps a frame below what a call's argument may be.
const maxEdge = 1000

func run(ctx context.Context, args []string, out, log io.Writer) error {
	set := flag.NewFlagSet("offload", flag.ContinueOnError)
	set.SetOutput(log)
	c := cluster.Flags{}
	c.Register(set)
	set.Lookup("nodes").DefValue, c.Nodes = "2", 2
	var o options
	set.IntVar(&o.frames, "frames", 120, "how many frames")
	set.IntVar(&o.size, "size", 256, "edge of a frame in pixels")
	set.IntVar(&o.slow, "slow", 6, "how many times slower the camera's core is")
	set.Int64Var(&o.rate, "rate", 400<<10, "bytes per second of the link when it is slow")
	set.BoolVar(&o.explain, "explain", false, "print the estimates for all nodes whenever the decision changes")
	if err := set.Parse(args); err != nil {
		return err
	}
	switch {
	case set.NArg() > 0:
		return fmt.Errorf("%q is not a flag", set.Arg(0))
	case o.frames < 2:
		return fmt.Errorf("-frames %d: two are needed, one before and one after the link turns slow", o.frames)
	case o.size < 3 || o.size > maxEdge:
		return fmt.Errorf("-size %d is not between 3 and %d", o.size, maxEdge)
	case o.slow < 1 || o.rate < 1:
		return errors.New("-slow and -rate are at least 1")
	}
	nodes, err := cluster.Start(ctx, c, log)
	if err != nil {
		return err
	}
	defer nodes.Close()
	if c.Serve {
		return nodes.Serve(ctx)
	}
	_, err = film(ctx, nodes, o, out)
	return err
}

// A shot is what became of a frame.
type shot struct {
	local bool
	took  time.Duration
}

// film shoots and filters all frames, and tells what became of each.
func film(ctx context.Context, c *cluster.Cluster, o options, out io.Writer) ([]shot, error) {
	n := c.First()
	id := n.ID()
	camera.slow.Store(int64(o.slow))
	camera.id.Store(&id)
	defer uplink.bytesPerSecond.Store(0)
	var shots []shot
	where := ""
	for i := range o.frames {
		if i == o.frames/2 {
			uplink.bytesPerSecond.Store(o.rate)
			fmt.Fprintf(out, "          -- the link turns slow: %d KiB/s\n", o.rate>>10)
		}
		frame := shoot(i, o.size)
		d, took, err := filter(ctx, n, frame)
		if err != nil {
			return shots, fmt.Errorf("frame %d: %w", i, err)
		}
		shots = append(shots, shot{d.Local, took})
		at := "here"
		if !d.Local {
			at = "at " + c.Name(d.Target)
		}
		fmt.Fprintf(out, "frame %3d  %-8s %6.1f ms  %s\n", i, at, took.Seconds()*1e3, d.Reason)
		if o.explain && d.Target != where {
			fmt.Fprint(out, d.Explain())
		}
		where = d.Target
	}
	sum(shots, out)
	return shots, nil
}

// filter decides where a frame is filtered, has it filtered there, and reports how long that took: so the next
// decision is a better one.
func filter(ctx context.Context, n *node.Node, f Frame) (node.Decision, time.Duration, error) {
	start := time.Now()
	// edges.Decide says it shorter, but encodes the frame to see its size, and here that takes as long as the link does.
	d, err := n.Decide(ctx, node.Spec{Function: edges.Name() + "@" + edges.Version(), InBytes: int64(frameHead + len(f.Pixels)), OutBytes: -1})
	if err != nil {
		return d, 0, err
	}
	if !d.Placeable() {
		return d, 0, errors.New(d.Explain())
	}
	_, err = edges.Call(ctx, n, f, node.Follow(d))
	took := time.Since(start)
	n.Report(d, took, err)
	return d, took, err
}

// sum prints what the camera did in each half.
func sum(shots []shot, out io.Writer) {
	half := len(shots) / 2
	for i, part := range [][]shot{shots[:half], shots[half:]} {
		here := 0
		var took time.Duration
		for _, s := range part {
			if s.local {
				here++
			}
			took += s.took
		}
		fmt.Fprintf(out, "%s link  %3d frames here, %3d there, %6.1f ms each\n", [...]string{"fast", "slow"}[i], here, len(part)-here, took.Seconds()*1e3/float64(len(part)))
	}
}
