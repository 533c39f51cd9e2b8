package main

import (
	"errors"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math"
	"os"
)

// Measures of the picture, in pixels.
const (
	width, margin = 960, 60
	rowHeight     = 22
	barHeight     = 14
	rackGap       = 8
)

// distances are the colours of how far a task went from its home, the first node: nowhere, within the rack, the
// zone, and further.
var distances = []color.RGBA{{0x33, 0x66, 0x99, 0xff}, {0x33, 0x99, 0x66, 0xff}, {0xe0, 0xa0, 0x30, 0xff}, {0xc0, 0x40, 0x40, 0xff}}

// draw draws when each task ran, a row per node.
func (s *stage) draw(log []ran, path string) error {
	begin, end := math.Inf(1), 0.0
	for _, x := range log {
		begin, end = min(begin, x.begin), max(end, x.end)
	}
	home := s.nodes[0]
	height := 2*rackGap + len(s.nodes)*rowHeight + s.plan.Racks*rackGap + 20
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	draw.Draw(img, img.Bounds(), image.White, image.Point{}, draw.Src)
	grey := image.NewUniform(color.RGBA{0xee, 0xee, 0xee, 0xff})
	for i, n := range s.nodes {
		y := rackGap + i*rowHeight + (n.Rack-1)*rackGap
		write(img, 6, y+4, n.Name)
		draw.Draw(img, image.Rect(margin, y, width-6, y+barHeight), grey, image.Point{}, draw.Src)
		level := 3
		switch {
		case n.Name == home.Name:
			level = 0
		case n.Rack == home.Rack:
			level = 1
		case n.Zone == home.Zone:
			level = 2
		}
		at := func(t float64) int { return margin + int((t-begin)/(end-begin)*float64(width-6-margin)) }
		for _, x := range log {
			if x.node == n.Name {
				bar := image.Rect(at(x.begin), y, max(at(x.end)-1, at(x.begin)+1), y+barHeight)
				draw.Draw(img, bar, image.NewUniform(distances[level]), image.Point{}, draw.Src)
			}
		}
	}
	x := margin
	for i, word := range []string{"home", "rack", "zone", "remote"} {
		draw.Draw(img, image.Rect(x, height-16, x+10, height-6), image.NewUniform(distances[i]), image.Point{}, draw.Src)
		write(img, x+14, height-15, word)
		x += 80
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(png.Encode(f, img), f.Close())
}

// glyphs are the signs that names and the legend are made of, five columns of seven bits, the lowest at the top.
var glyphs = map[rune][5]byte{
	'a': {0x20, 0x54, 0x54, 0x54, 0x78}, 'c': {0x38, 0x44, 0x44, 0x44, 0x28}, 'e': {0x38, 0x54, 0x54, 0x54, 0x18}, 'h': {0x7f, 0x08, 0x04, 0x04, 0x78},
	'k': {0x7f, 0x10, 0x28, 0x44, 0x00}, 'm': {0x7c, 0x04, 0x78, 0x04, 0x78}, 'n': {0x7c, 0x08, 0x04, 0x04, 0x78}, 'o': {0x38, 0x44, 0x44, 0x44, 0x38},
	'r': {0x7c, 0x08, 0x04, 0x04, 0x08}, 't': {0x04, 0x3f, 0x44, 0x40, 0x20}, 'z': {0x44, 0x64, 0x54, 0x4c, 0x44},
	'0': {0x3e, 0x51, 0x49, 0x45, 0x3e}, '1': {0x00, 0x42, 0x7f, 0x40, 0x00}, '2': {0x42, 0x61, 0x51, 0x49, 0x46}, '3': {0x21, 0x41, 0x45, 0x4b, 0x31},
	'4': {0x18, 0x14, 0x12, 0x7f, 0x10}, '5': {0x27, 0x45, 0x45, 0x45, 0x39}, '6': {0x3c, 0x4a, 0x49, 0x49, 0x30}, '7': {0x01, 0x71, 0x09, 0x05, 0x03},
	'8': {0x36, 0x49, 0x49, 0x49, 0x36}, '9': {0x06, 0x49, 0x49, 0x29, 0x1e}, 'd': {0x38, 0x44, 0x44, 0x48, 0x7f},
}

// write writes a word; signs without a glyph are blanks.
func write(img draw.Image, x, y int, word string) {
	for _, r := range word {
		for dx, column := range glyphs[r] {
			for dy := range 7 {
				if column&(1<<dy) != 0 {
					img.Set(x+dx, y+dy, color.Black)
				}
			}
		}
		x += 6
	}
}
