//go:build unix

package control

import (
	"context"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener in memory, for virtual time.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}
func (p *pipes) Close() error   { close(p.closed); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

func (p *pipes) dial(context.Context, string, string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	p.conns <- theirs
	return ours, nil
}

// slow is a node that takes its time, as long as it is given.
type slow struct {
	fake
	drain time.Duration
}

func (s slow) Node(context.Context) (Node, error) {
	return Node{DrainTimeoutSeconds: s.drain.Seconds()}, nil
}

func (s slow) Leave(ctx context.Context, within time.Duration) error {
	if within == 0 {
		within = s.drain
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(within):
		return nil
	}
}

func (s slow) Cancel(ctx context.Context, _ string) (Cancelled, error) {
	<-ctx.Done()
	return Cancelled{Accepted: true}, nil
}

func inVirtualTime(t *testing.T, s slow, f func(t *testing.T, c *Client)) {
	synctest.Test(t, func(t *testing.T) {
		p := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- NewServer(s, nil).Serve(ctx, p, nil) }()
		f(t, newClient("pipe", answerTimeout, p.dial))
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// TestLeaveHasTheTimeItWasGiven: no time-out of server or client cuts off a goodbye that the node was
// given longer for, by its configuration or by who asks.
func TestLeaveHasTheTimeItWasGiven(t *testing.T) {
	for _, c := range []struct{ drain, within, want time.Duration }{
		{time.Minute, 0, time.Minute},
		{time.Second, 2 * time.Hour, 2 * time.Hour},
		{2 * time.Hour, time.Second, time.Second},
	} {
		inVirtualTime(t, slow{drain: c.drain}, func(t *testing.T, client *Client) {
			begun := time.Now()
			if err := client.Leave(t.Context(), c.within); err != nil {
				t.Errorf("%v, asked for %v: after %v: %v", c.drain, c.within, time.Since(begun), err)
			}
			if took := time.Since(begun); took != c.want {
				t.Errorf("%v, asked for %v: it had %v", c.drain, c.within, took)
			}
		})
	}
}

// TestCancelWaitsAsLongAsItIsAsked, since who vanished is known only when its lease is over.
func TestCancelWaitsAsLongAsItIsAsked(t *testing.T) {
	inVirtualTime(t, slow{}, func(t *testing.T, c *Client) {
		begun := time.Now()
		if a, err := c.Cancel(t.Context(), "n/1.1", 20*time.Second); err != nil || !a.Accepted || time.Since(begun) != 20*time.Second {
			t.Errorf("%+v, %v after %v", a, err, time.Since(begun))
		}
	})
}
