package host

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	ma "github.com/multiformats/go-multiaddr"
	"go.uber.org/goleak"

	"github.com/filchsched/filch/gossip/identity"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, leftovers...) }

// leftovers are goroutines that libraries leave behind, and why.
var leftovers = []goleak.Option{}

// patience is how long a test waits for something that does happen.
const patience = 20 * time.Second

func seed(b byte) (s [32]byte) {
	for i := range s {
		s[i] = b + byte(i)
	}
	return s
}

var secret = identity.Secret(seed(100))

// start starts a host on loopback.
func start(t testing.TB, change ...func(*Config)) *Host {
	t.Helper()
	cfg := Config{Identity: identity.New(), Secret: secret, Listen: []string{"127.0.0.1:0"}}
	for _, f := range change {
		f(&cfg)
	}
	h, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
	})
	return h
}

func info(h *Host) peer.AddrInfo { return peer.AddrInfo{ID: h.ID(), Addrs: h.Addrs()} }

// only keeps the addresses of one transport.
func only(transport string, i peer.AddrInfo) peer.AddrInfo {
	out := peer.AddrInfo{ID: i.ID}
	for _, a := range i.Addrs {
		if strings.Contains(a.String(), "/"+transport) {
			out.Addrs = append(out.Addrs, a)
		}
	}
	return out
}

func within(t testing.TB, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

func connect(t testing.TB, from *Host, to peer.AddrInfo) {
	t.Helper()
	if err := from.Connect(within(t, patience), to); err != nil {
		t.Fatal(err)
	}
}

// A logbook keeps what was logged and tells who waits for it.
type logbook struct {
	mu    sync.Mutex
	lines []string
	more  chan struct{}
}

func newLogbook() *logbook { return &logbook{more: make(chan struct{}, 1)} }

func (l *logbook) Write(b []byte) (int, error) {
	l.mu.Lock()
	l.lines = append(l.lines, string(b))
	l.mu.Unlock()
	select {
	case l.more <- struct{}{}:
	default:
	}
	return len(b), nil
}

func (l *logbook) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelInfo}))
}

// with returns the lines that contain a text.
func (l *logbook) with(text string) (lines []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range l.lines {
		if strings.Contains(line, text) {
			lines = append(lines, line)
		}
	}
	return lines
}

// wait waits for a line that contains a text.
func (l *logbook) wait(t testing.TB, text string) string {
	t.Helper()
	ctx := within(t, patience)
	for {
		if lines := l.with(text); len(lines) > 0 {
			return lines[0]
		}
		select {
		case <-l.more:
		case <-ctx.Done():
			t.Fatalf("no line with %q in the log:\n%s", text, strings.Join(l.lines, ""))
		}
	}
}

// echo answers streams with what they say.
const echo protocol.ID = "/test/echo/1"

func serveEcho(h *Host) {
	h.Handle(echo, func(s network.Stream) {
		io.Copy(s, s)
		s.Close()
	})
}

func says(t testing.TB, from *Host, to peer.ID, text string) {
	t.Helper()
	if err := trySay(within(t, patience), from, to, text); err != nil {
		t.Fatal(err)
	}
}

func trySay(ctx context.Context, from *Host, to peer.ID, text string) error {
	s, err := from.OpenStream(ctx, to, echo)
	if err != nil {
		return err
	}
	defer s.Close()
	if _, err := s.Write([]byte(text)); err != nil {
		return err
	}
	if err := s.CloseWrite(); err != nil {
		return err
	}
	b, err := io.ReadAll(s)
	if err != nil {
		return err
	}
	if string(b) != text {
		return errors.New("the echo said " + string(b))
	}
	return nil
}

// A packetSink is what HandlePackets is given in tests.
type packetSink chan struct {
	from Source
	text string
}

func listenPackets(h *Host, kind byte) packetSink {
	sink := make(packetSink, 1024)
	h.HandlePackets(kind, func(from Source, b []byte) {
		select {
		case sink <- struct {
			from Source
			text string
		}{from, string(b)}:
		default:
		}
	})
	return sink
}

func (s packetSink) wait(t testing.TB, text string) Source {
	t.Helper()
	ctx := within(t, patience)
	for {
		select {
		case p := <-s:
			if p.text == text {
				return p.from
			}
		case <-ctx.Done():
			t.Fatalf("the packet %q did not arrive", text)
		}
	}
}

func portOf(t testing.TB, a ma.Multiaddr) uint16 {
	t.Helper()
	ap, err := netip.ParseAddrPort(hostPort(t, a))
	if err != nil {
		t.Fatal(err)
	}
	return ap.Port()
}

func addrOfText(s string) net.Addr { return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(s)) }

// atomicTime is a clock that a test sets.
type atomicTime struct{ nano atomic.Int64 }

func (c *atomicTime) set(t time.Time) { c.nano.Store(t.UnixNano()) }
func (c *atomicTime) get() time.Time  { return time.Unix(0, c.nano.Load()) }
