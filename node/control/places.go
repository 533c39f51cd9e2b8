package control

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// SocketName is the name of a node's socket in its data directory.
const SocketName = "control.sock"

// systemDataDir is where a node of the machine keeps its data, one that root or a
// service manager started.
const systemDataDir = "/var/lib/filch"

// DefaultDataDir is where a node keeps what it must not forget, unless it is told
// otherwise: what the service manager made for it, /var/lib/filch for root, else in the
// user's state directory. getenv is os.Getenv or a stand-in.
func DefaultDataDir(getenv func(string) string) (string, error) {
	// systemd sets STATE_DIRECTORY, to several with colons between if the unit says so.
	if dir, _, _ := strings.Cut(getenv("STATE_DIRECTORY"), ":"); filepath.IsAbs(dir) {
		return dir, nil
	}
	if os.Geteuid() == 0 && getenv("XDG_STATE_HOME") == "" {
		return systemDataDir, nil
	}
	if dir := getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "filch"), nil
	}
	if home := getenv("HOME"); filepath.IsAbs(home) {
		return filepath.Join(home, ".local", "state", "filch"), nil
	}
	if dir := getenv("LocalAppData"); filepath.IsAbs(dir) { // Windows
		return filepath.Join(dir, "filch"), nil
	}
	return "", fmt.Errorf("there is no HOME to keep the node's data in; name a directory with --data-dir or FILCH_DATA_DIR")
}

// Places lists where the socket of the local node may be, likeliest first: what
// FILCH_SOCKET or FILCH_DATA_DIR say if they say anything, else the user's own node and
// the machine's.
func Places(getenv func(string) string) []string {
	if s := getenv("FILCH_SOCKET"); s != "" {
		return []string{s}
	}
	if dir := getenv("FILCH_DATA_DIR"); dir != "" {
		return []string{filepath.Join(dir, SocketName)}
	}
	var places []string
	if dir, err := DefaultDataDir(getenv); err == nil {
		places = append(places, filepath.Join(dir, SocketName))
	}
	if dir := getenv("XDG_RUNTIME_DIR"); dir != "" {
		places = append(places, filepath.Join(dir, "filch", SocketName))
	}
	places = append(places, filepath.Join("/run/filch", SocketName), filepath.Join(systemDataDir, SocketName))
	slices.Sort(places[1:])
	return slices.Compact(places)
}

// NotRunningError says that no node answers, and where one was looked for.
type NotRunningError struct {
	Tried []string // paths
	Err   error    // what happened at the first one that there was
}

// Error says what to do, too.
func (e *NotRunningError) Error() string {
	const todo = `start one with "filch up", or say where it is with --socket or FILCH_SOCKET`
	if e.Err != nil {
		return fmt.Sprintf("no node answers: %v: %s", e.Err, todo)
	}
	return fmt.Sprintf("no node is running here (no socket at %s): %s", strings.Join(e.Tried, " or "), todo)
}

func (e *NotRunningError) Unwrap() error { return e.Err }

// Find returns a client of the node at the given socket, or with "" of the local node:
// the first of Places where somebody listens. The error is a *NotRunningError. It does not
// block for longer than a local connection takes, and ctx allows.
func Find(ctx context.Context, socket string, getenv func(string) string) (*Client, error) {
	places := []string{socket}
	if socket == "" {
		places = Places(getenv)
	}
	nobody := &NotRunningError{Tried: places}
	for _, path := range places {
		dialer := net.Dialer{Timeout: 2 * time.Second}
		c, err := dialer.DialContext(ctx, "unix", path)
		if err == nil {
			c.Close()
			return NewClient(path), nil
		}
		if _, missing := os.Lstat(path); missing == nil && nobody.Err == nil {
			nobody.Err = err
		}
	}
	return nil, nobody
}
