package steal_test

import (
	"bytes"
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/filchsched/filch/steal"
	"github.com/filchsched/filch/steal/core"
)

// A slowPort opens streams on which writing takes its time.
type slowPort struct {
	*memPort
	rate int // bytes a second
}

func (p slowPort) Open(ctx context.Context, to core.PeerID, protocol string) (steal.Stream, error) {
	s, err := p.memPort.Open(ctx, to, protocol)
	if err != nil {
		return nil, err
	}
	return slowStream{s, p.rate}, nil
}

type slowStream struct {
	steal.Stream
	rate int
}

func (s slowStream) Write(b []byte) (int, error) {
	time.Sleep(time.Duration(len(b)) * time.Second / time.Duration(s.rate))
	return s.Stream.Write(b)
}

// TestTransfersAreMeasured: who gets long outputs over a slow line knows how slow it is.
func TestTransfersAreMeasured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := newMemNet()
		home, a := start(t, net, "home", 0), startOn(t, slowPort{net.Port("a"), 2 << 20}, "a", 1)
		a.x.work = func(p core.Piece, h, b []byte) ([]byte, []steal.Output) {
			v, _ := echo(p, h, b)
			return v, []steal.Output{{Index: p.Lo, Name: 1, Data: blob(bytes.Repeat([]byte("o"), 2<<20))}}
		}
		meet(home, a)
		believed := func() (n int64) {
			if err := home.d.Ask(t.Context(), func(c *core.Core) { n = c.Bandwidth("a") }); err != nil {
				t.Fatal(err)
			}
			return n
		}
		if n := believed(); n < 90<<20 {
			t.Errorf("%d B/s at first", n)
		}
		home.expect(home.submit(core.Terms{}, 20), 20)
		if n := believed(); n < 16<<20/10 || n > 25<<20/10 {
			t.Errorf("%d B/s after 40 MiB over a line of 2 MiB/s", n)
		}
	})
}
