// Command mandelbrot renders a picture over several nodes, a tile at a time, and tints each tile by the node that rendered it.
//
//	go run ./examples/mandelbrot -nodes 3 -o mandelbrot.png
//
// Tiles inside of the set take a hundred times as long as those outside. Map asks for tiles as there is room, and yields them
// as they end. With -tint=false the picture is the same, byte for byte, however many nodes there are.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/png"
	"io"
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
			fmt.Fprintln(os.Stderr, "mandelbrot:", err)
		}
		stop()
		os.Exit(1)
	}
}

// Bounds of a picture.
const (
	maxSize  = 1 << 14 // pixels of an edge: 1 GiB of picture
	maxSteps = 1 << 20
)

func run(ctx context.Context, args []string, out, log io.Writer) (err error) {
	set := flag.NewFlagSet("mandelbrot", flag.ContinueOnError)
	set.SetOutput(log)
	var c cluster.Flags
	c.Register(set)
	name := set.String("o", "mandelbrot.png", "write the picture to this `FILE`")
	size := set.Int("size", 1024, "edge of the picture in pixels")
	steps := set.Int("steps", 1000, "after how many steps a point counts as inside")
	tint := set.Bool("tint", true, "tint tiles by node")
	if err := set.Parse(args); err != nil {
		return err
	}
	switch {
	case set.NArg() > 0:
		return fmt.Errorf("%q is not a flag", set.Arg(0))
	case *size < 1 || *size > maxSize:
		return fmt.Errorf("-size %d is not between 1 and %d", *size, maxSize)
	case *steps < 1 || *steps > maxSteps:
		return fmt.Errorf("-steps %d is not between 1 and %d", *steps, maxSteps)
	}
	nodes, err := cluster.Start(ctx, c, log)
	if err != nil {
		return err
	}
	defer nodes.Close()
	if c.Serve {
		return nodes.Serve(ctx)
	}
	picture, by, err := draw(ctx, nodes.First(), *size, *steps, *tint)
	if err != nil {
		return err
	}
	for _, t := range by {
		fmt.Fprintf(out, "%-12s %5d tiles\n", nodes.Name(t.node), t.tiles)
	}
	return write(*name, picture)
}

// share is how many tiles a node has rendered.
type share struct {
	node  string
	tiles int
}

func draw(ctx context.Context, n *node.Node, size, steps int, tint bool) (*image.RGBA, []share, error) {
	picture := image.NewRGBA(image.Rect(0, 0, size, size))
	all := slices.Collect(tiles(size, steps))
	var by []share
	for _, m := range n.Members() { // by name, so that a node keeps its tint
		by = append(by, share{node: m.ID})
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for o := range render.Map(ctx, n, slices.Values(all), node.AsTheyEnd()) {
		t := all[o.Index]
		switch {
		case o.Err != nil:
			return nil, nil, fmt.Errorf("the tile at %d,%d: %w", t.X, t.Y, o.Err)
		case len(o.Value.Shades) != t.W*t.H:
			return nil, nil, fmt.Errorf("the tile at %d,%d has %d pixels instead of %d", t.X, t.Y, len(o.Value.Shades), t.W*t.H)
		}
		i := slices.IndexFunc(by, func(s share) bool { return s.node == o.Node })
		if i < 0 { // it has joined meanwhile
			i, by = len(by), append(by, share{node: o.Node})
		}
		by[i].tiles++
		c := grey
		if tint {
			c = tints[i%len(tints)]
		}
		paint(picture, t, o.Value, c)
	}
	return picture, by, context.Cause(ctx)
}

func write(name string, picture image.Image) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(png.Encode(f, picture), f.Close())
}
