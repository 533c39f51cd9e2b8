package host

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/libp2p/go-libp2p/gologshim"
)

// libp2p logs through package-level loggers that take their handler once. They
// get one that passes on to the logger of the host that was made last.
var (
	libp2pLogs  atomic.Pointer[slog.Handler]
	routeLibp2p = sync.OnceFunc(func() { gologshim.SetDefaultHandler(libp2pHandler{}) })
)

func routeLogs(l *slog.Logger) {
	h := l.Handler()
	libp2pLogs.Store(&h)
	routeLibp2p()
}

// libp2pHandler makes libp2p's messages one level less important: what is an
// error to libp2p, such as a peer that does not speak its protocol, is a
// warning or less to a node that goes on without it.
type libp2pHandler struct {
	with func(slog.Handler) slog.Handler // what WithAttrs and WithGroup asked for
}

const lessImportant = 4 // the distance of slog's levels

func (h libp2pHandler) target() slog.Handler {
	p := libp2pLogs.Load()
	if p == nil {
		return slog.DiscardHandler
	}
	if h.with == nil {
		return *p
	}
	return h.with(*p)
}

// Enabled asks the current logger.
func (h libp2pHandler) Enabled(ctx context.Context, l slog.Level) bool {
	p := libp2pLogs.Load()
	return p != nil && (*p).Enabled(ctx, l-lessImportant)
}

// Handle passes the record on.
func (h libp2pHandler) Handle(ctx context.Context, r slog.Record) error {
	r.Level -= lessImportant
	return h.target().Handle(ctx, r)
}

// WithAttrs adds attributes to every record.
func (h libp2pHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return h.wrap(func(n slog.Handler) slog.Handler { return n.WithAttrs(attrs) })
}

// WithGroup puts every record's attributes into a group.
func (h libp2pHandler) WithGroup(name string) slog.Handler {
	return h.wrap(func(n slog.Handler) slog.Handler { return n.WithGroup(name) })
}

func (h libp2pHandler) wrap(f func(slog.Handler) slog.Handler) slog.Handler {
	before := h.with
	return libp2pHandler{with: func(n slog.Handler) slog.Handler {
		if before != nil {
			n = before(n)
		}
		return f(n)
	}}
}
