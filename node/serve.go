package node

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"

	"github.com/filchsched/filch/node/control"
)

// serve opens the control API where the configuration asks for it. Whoever asks before
// the node is ready waits.
func (n *Node) serve(dir *dataDir, begin func(string, func(context.Context) error)) error {
	server := control.NewServer(api{n}, n.log)
	if path := n.config.Socket; path != "" {
		socket, err := control.Listen(path)
		if err != nil {
			return err
		}
		begin("control socket", func(ctx context.Context) error {
			defer socket.Close()
			return n.whenReady(ctx, func() error { return server.Serve(ctx, socket, nil) })
		})
	}
	if n.config.ControlListen == "" {
		return nil
	}
	token := n.config.ControlToken
	if token == "" {
		var err error
		if token, err = dir.token(); err != nil {
			return err
		}
	}
	l, err := net.Listen("tcp", n.config.ControlListen)
	if err != nil {
		return fmt.Errorf("control API: %w", err)
	}
	if at, err := netip.ParseAddrPort(l.Addr().String()); err != nil || !at.Addr().IsLoopback() {
		n.log.Warn("the control API is served beyond this machine without encryption: whoever can listen in gets the token", "listen", l.Addr().String())
	}
	n.log.Info("control API on TCP", "listen", l.Addr().String())
	guard := control.NewGuard(token, n.config.Name)
	begin("control API on TCP", func(ctx context.Context) error {
		defer l.Close()
		return n.whenReady(ctx, func() error { return server.Serve(ctx, l, guard) })
	})
	return nil
}

// whenReady calls f once the node is ready, or not at all if ctx is done before.
func (n *Node) whenReady(ctx context.Context, f func() error) error {
	select {
	case <-n.ready:
		return f()
	case <-ctx.Done():
		return nil
	}
}

// Handler answers the control API and /metrics for whoever has the token, on a listener
// of the caller's. hosts are the names under which it may be asked, beside addresses and
// localhost. The token has at least 16 bytes; with a shorter one nobody is let in.
func (n *Node) Handler(token string, hosts ...string) http.Handler {
	if len(token) < control.MinToken {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "the token is too short to be secret", http.StatusUnauthorized)
		})
	}
	return control.NewServer(api{n}, n.log).Handler(control.NewGuard(token, hosts...))
}
