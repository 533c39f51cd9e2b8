package main

import (
	"fmt"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/filchsched/filch/examples/cluster"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestFramesTravelAsTheyAre(t *testing.T) {
	c := frameCodec{new(link)}
	f := shoot(3, 40)
	b, err := c.Append([]byte("x"), f)
	if err != nil {
		t.Fatal(err)
	}
	g, err := c.Decode(b[1:])
	if err != nil || g.W != f.W || g.H != f.H || string(g.Pixels) != string(f.Pixels) {
		t.Errorf("%v", err)
	}
	for _, bad := range [][]byte{nil, b[1:5], b[1 : len(b)-1], append(b[1:], 0)} {
		if _, err := c.Decode(bad); err == nil {
			t.Errorf("%d bytes were accepted", len(bad))
		}
	}
}

func TestTheFilterFindsTheDisc(t *testing.T) {
	plain := Frame{W: 50, H: 50, Pixels: make([]byte, 2500)}
	if e := find(plain); e.Pixels != 0 {
		t.Errorf("a black frame has %d pixels on edges", e.Pixels)
	}
	if e := find(shoot(0, 64)); e.Pixels < 30 || len(e.Rows) != 62 {
		t.Errorf("%+v", e)
	}
}

// TestItAdapts: with a fast link most frames are filtered at the helper, with a slow one at home. The link is so slow, and the
// camera, that a busy machine makes no difference.
func TestItAdapts(t *testing.T) {
	if testing.Short() {
		t.Skip("it decides by what its work takes, which the race detector, with which -short goes, makes another")
	}
	c, err := cluster.Start(t.Context(), cluster.Flags{Nodes: 2, Workers: 1}, &strings.Builder{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var out strings.Builder
	const frames = 80
	shots, err := film(t.Context(), c, options{frames: frames, size: 256, slow: 60, rate: 64 << 10, explain: true}, &out)
	if err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	away := func(part []shot) (n int) {
		for _, s := range part {
			if !s.local {
				n++
			}
		}
		return n
	}
	fast, slow := away(shots[frames/4:frames/2]), away(shots[3*frames/4:])
	if fast < 10 || slow > 5 {
		t.Errorf("of the last 20 frames with each link %d and %d went away\n%s", fast, slow, out.String())
	}
	if !strings.Contains(out.String(), "-- the link turns slow") {
		t.Error(fmt.Sprint("it does not say that the link turns slow:\n", out.String()))
	}
}
