package gossip

import (
	"bytes"
	"context"
	"log"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// Serf and memberlist write lines like "[WARN] memberlist: …" for what they meet every
// day: a packet lost, a suspicion refuted, a member that fails. What matters of that a
// Cluster says itself, once. So only lines that nobody expects keep their level, and each
// kind of them is let through once a minute.

// expected are beginnings of lines that a healthy cluster on a real network produces.
var expected = []string{
	"memberlist: Refuting",
	"memberlist: Was able to connect to",
	"memberlist: Failed fallback TCP ping",
	"memberlist: Failed UDP ping",
	"memberlist: Failed to send",
	"memberlist: Failed to read remote state",
	"memberlist: Failed to receive",
	"memberlist: Failed to push local state",
	"memberlist: failed to receive",
	"memberlist: Push/Pull with",
	"memberlist: Got ping for unexpected node",
	"memberlist: ignoring alive message", // tags.go says it
	"memberlist: handler queue full",
	"memberlist: Too many pending push/pull requests",
	"serf: timeout while waiting for graceful leave",
	"serf: timeout waiting for leave broadcast",
	"serf: Intent queue depth", // a burst of joins; the queue is bounded
	"serf: Bad state when leave",
	"serf: Shutdown without a Leave", // a crash, or somebody called Leave before
	"serf: Rejected coordinate",
}

// libraryInterval is how often one kind of line is let through.
const libraryInterval = time.Minute

// libraryKinds bounds how many kinds are remembered.
const libraryKinds = 64

// libraryWriter turns lines of the libraries' loggers into records of slog.
type libraryWriter struct {
	log *slog.Logger

	mu   sync.Mutex
	last map[string]time.Time // by kind: the beginning of the line
}

func libraryLogger(l *slog.Logger) *log.Logger {
	return log.New(&libraryWriter{log: l, last: make(map[string]time.Time)}, "", 0)
}

// Write takes one line.
func (w *libraryWriter) Write(line []byte) (int, error) {
	level, text := libraryLine(line)
	ctx := context.Background()
	if w.log.Enabled(ctx, level) && (level < slog.LevelWarn || w.due(text)) {
		w.log.Log(ctx, level, text)
	}
	return len(line), nil
}

// libraryLine finds a line's level and text.
func libraryLine(line []byte) (slog.Level, string) {
	mark, text, ok := bytes.Cut(bytes.TrimSpace(line), []byte("] "))
	s := string(text)
	if !ok || len(mark) == 0 || mark[0] != '[' {
		return slog.LevelWarn, string(bytes.TrimSpace(line))
	}
	for _, e := range expected {
		if strings.HasPrefix(s, e) {
			return slog.LevelDebug, s
		}
	}
	switch string(mark[1:]) {
	case "ERR", "ERROR":
		return slog.LevelError, s
	case "WARN":
		return slog.LevelWarn, s
	default: // TRACE, DEBUG, and INFO, which tells of every join
		return slog.LevelDebug, s
	}
}

// due reports whether a line of this kind may be logged again. Its kind is its first few
// words: names and addresses come later.
func (w *libraryWriter) due(text string) bool {
	words := strings.SplitN(text, " ", 5)
	kind := strings.Join(words[:min(4, len(words))], " ")
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	if last, ok := w.last[kind]; ok && now.Sub(last) < libraryInterval {
		return false
	}
	if len(w.last) >= libraryKinds {
		clear(w.last)
	}
	w.last[kind] = now
	return true
}
