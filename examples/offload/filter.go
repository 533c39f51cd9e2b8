package main

import (
	"context"
	"math"

	"github.com/filchsched/filch/node"
)

// A Frame is a grey picture.
type Frame struct {
	W, H   int
	Pixels []byte
}

// Edges is what the filter finds: small, so that only frames are a load for the link.
type Edges struct {
	Pixels int    // on an edge
	Rows   []byte // how many there are in each row, as a share of 255
}

// edges blurs a frame and counts the pixels where it changes fast.
var edges = node.Define("offload-edges", func(ctx context.Context, f Frame) (e Edges, err error) {
	for range timesHere(ctx) {
		if ctx.Err() != nil {
			return Edges{}, context.Cause(ctx)
		}
		e = find(f)
	}
	return e, nil
}, node.Version(1), node.Codecs[Frame, Edges](frameCodec{&uplink}, nil))

// blurs is how often a frame is blurred; it makes the filter worth sending away.
const blurs = 4

func find(f Frame) (e Edges) {
	p, q := append([]byte(nil), f.Pixels...), make([]byte, len(f.Pixels))
	for range blurs {
		blur(q, p, f.W, f.H)
		p, q = q, p
	}
	for y := 1; y < f.H-1; y++ {
		row := 0
		for x := 1; x < f.W-1; x++ {
			i := y*f.W + x
			dx, dy := int(p[i+1])-int(p[i-1]), int(p[i+f.W])-int(p[i-f.W])
			if math.Sqrt(float64(dx*dx+dy*dy)) > 24 {
				row++
			}
		}
		e.Pixels += row
		e.Rows = append(e.Rows, byte(row*255/f.W))
	}
	return e
}

// blur makes each pixel the mean of the nine around it.
func blur(to, from []byte, w, h int) {
	copy(to, from)
	for y := 1; y < h-1; y++ {
		for x := 1; x < w-1; x++ {
			sum := 0
			for d := -w; d <= w; d += w {
				i := y*w + x + d
				sum += int(from[i-1]) + int(from[i]) + int(from[i+1])
			}
			to[y*w+x] = byte(sum / 9)
		}
	}
}

// shoot is frame i: a disc that wanders over a lattice.
func shoot(i, size int) Frame {
	f := Frame{W: size, H: size, Pixels: make([]byte, size*size)}
	cx := float64(size) * (0.5 + 0.3*math.Cos(float64(i)/9))
	cy := float64(size) * (0.5 + 0.3*math.Sin(float64(i)/7))
	for y := range size {
		for x := range size {
			v := byte(40)
			if (x/16+y/16)%2 == 0 {
				v = 90
			}
			if math.Hypot(float64(x)-cx, float64(y)-cy) < float64(size)/5 {
				v = 230
			}
			f.Pixels[y*size+x] = v
		}
	}
	return f
}
