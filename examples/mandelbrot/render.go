package main

import (
	"context"
	"image"
	"image/color"
	"iter"
	"math"

	"github.com/filchsched/filch/node"
)

// A Tile is a part of the picture to render: which pixels, and how they lie in the plane.
type Tile struct {
	X, Y, W, H int     // pixels
	Left, Top  float64 // of the whole picture, in the plane
	Step       float64 // between pixels
	MaxSteps   int
}

// Rendered is a tile's pixels, row by row: 0 for points of the set, else how soon they are known to be outside.
type Rendered struct{ Shades []byte }

var render = node.Define("mandelbrot-render", func(ctx context.Context, t Tile) (Rendered, error) {
	shades := make([]byte, 0, t.W*t.H)
	for y := t.Y; y < t.Y+t.H; y++ {
		if ctx.Err() != nil {
			return Rendered{}, context.Cause(ctx)
		}
		for x := t.X; x < t.X+t.W; x++ {
			shades = append(shades, shade(t.Left+float64(float64(x)*t.Step), t.Top+float64(float64(y)*t.Step), t.MaxSteps))
		}
	}
	return Rendered{shades}, nil
}, node.Version(1))

// shade is 0 if z²+c stays near for so many steps, else from 1 to 255. The conversions keep processors that can multiply
// and add at once from doing so: the picture is the same on all.
func shade(re, im float64, steps int) byte {
	var x, y float64
	for i := range steps {
		xx, yy := float64(x*x), float64(y*y)
		if xx+yy > 16 {
			return byte(1 + i*7%255)
		}
		x, y = float64(xx-yy)+re, float64(2*float64(x*y))+im
	}
	return 0
}

// tileSize is the edge of a tile in pixels: some hundred tiles for a picture, of very different cost.
const tileSize = 64

// tiles are those of a picture of size x size pixels.
func tiles(size, steps int) iter.Seq[Tile] {
	const span = 2.8 // of the plane; the set lies from -2 to 0.5 and from -1.2i to 1.2i
	return func(yield func(Tile) bool) {
		for y := 0; y < size; y += tileSize {
			for x := 0; x < size; x += tileSize {
				t := Tile{X: x, Y: y, W: min(tileSize, size-x), H: min(tileSize, size-y), Left: -2.15, Top: -span / 2, Step: span / float64(size), MaxSteps: steps}
				if !yield(t) {
					return
				}
			}
		}
	}
}

// paint puts a tile into the picture, in grey or in the tint of the node that rendered it.
func paint(to *image.RGBA, t Tile, r Rendered, tint color.RGBA) {
	for i, s := range r.Shades {
		c := color.RGBA{A: 255}
		if s > 0 {
			light := 0.25 + 0.75*math.Sqrt(float64(s)/255)
			c.R, c.G, c.B = uint8(light*float64(tint.R)), uint8(light*float64(tint.G)), uint8(light*float64(tint.B))
		}
		to.SetRGBA(t.X+i%t.W, t.Y+i/t.W, c)
	}
}

// tints are colours that can be told apart; more nodes share them.
var tints = []color.RGBA{{255, 170, 80, 255}, {90, 170, 255, 255}, {140, 230, 120, 255}, {240, 110, 190, 255}, {250, 230, 90, 255}, {120, 235, 225, 255}, {190, 140, 255, 255}, {255, 110, 100, 255}}

var grey = color.RGBA{255, 255, 255, 255}
