package main

import (
	"bytes"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/filchsched/filch/node/nodetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestTilesCoverThePicture, each pixel once, also when the size is not a multiple of a tile's.
func TestTilesCoverThePicture(t *testing.T) {
	for _, size := range []int{1, 63, 64, 65, 200} {
		seen := make([]int, size*size)
		for tile := range tiles(size, 1) {
			for y := tile.Y; y < tile.Y+tile.H; y++ {
				for x := tile.X; x < tile.X+tile.W; x++ {
					seen[y*size+x]++
				}
			}
		}
		if slices.ContainsFunc(seen, func(n int) bool { return n != 1 }) {
			t.Errorf("size %d: %v", size, seen)
		}
	}
}

func TestShadesOfKnownPoints(t *testing.T) {
	for _, v := range []struct {
		re, im float64
		inside bool
	}{{0, 0, true}, {-1, 0, true}, {-2, 0, true}, {0.26, 0, false}, {1, 1, false}, {-0.1, 0.75, true}} {
		if got := shade(v.re, v.im, 10000) == 0; got != v.inside {
			t.Errorf("%v%+vi: inside is %v", v.re, v.im, got)
		}
	}
}

// TestThePictureDoesNotDependOnTheNodes, but for the tint.
func TestThePictureDoesNotDependOnTheNodes(t *testing.T) {
	var first []byte
	for _, nodes := range []int{1, 3} {
		c := nodetest.Start(t, nodes)
		picture, by, err := draw(t.Context(), c.Node(0), 150, 200, false)
		if err != nil {
			t.Fatal(err)
		}
		sum := 0
		for _, s := range by {
			sum += s.tiles
		}
		if sum != 9 || len(by) != nodes {
			t.Errorf("%d nodes: %v", nodes, by)
		}
		if first == nil {
			first = picture.Pix
		}
		if !bytes.Equal(first, picture.Pix) {
			t.Errorf("on %d nodes the picture is another", nodes)
		}
	}
}

func TestTheCommandWritesAPicture(t *testing.T) {
	name := filepath.Join(t.TempDir(), "m.png")
	var out, log strings.Builder
	if err := run(t.Context(), []string{"-nodes", "2", "-size", "100", "-steps", "100", "-o", name}, &out, &log); err != nil {
		t.Fatalf("%v\n%s", err, log.String())
	}
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	p, err := png.Decode(bytes.NewReader(b))
	if err != nil || p.Bounds().Dx() != 100 || !strings.Contains(out.String(), "tiles") {
		t.Errorf("%v, %q", err, out.String())
	}
	for _, args := range []string{"-size 0", "-steps -1", "x", "-nodes 0"} {
		if err := run(t.Context(), strings.Fields(args), &out, &log); err == nil {
			t.Errorf("%s was accepted", args)
		}
	}
}
