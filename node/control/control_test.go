//go:build unix

package control

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is a node that says what it was told to.
type fake struct{ left chan struct{} }

func (fake) Node(context.Context) (Node, error)        { return Node{Name: "n", ID: "12D3"}, nil }
func (fake) Members(context.Context) ([]Member, error) { return []Member{{Name: "n"}}, nil }
func (f fake) Leave(_ context.Context, within time.Duration) error {
	time.Sleep(within) // of virtual time, or none
	close(f.left)
	return nil
}
func (fake) JoinString(context.Context) (JoinString, error) {
	return JoinString{}, &Error{http.StatusConflict, "on its own", ReasonSolo, "start it otherwise"}
}
func (fake) Watch(ctx context.Context) iter.Seq[Event] {
	return func(yield func(Event) bool) {
		if yield(Event{Kind: EventPresent, Node: &Member{Name: "n"}}) && yield(Event{Kind: EventSynced}) {
			<-ctx.Done()
		}
	}
}
func (fake) Metrics() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("filch_up 1\n")) })
}

// serve answers for a fake on a socket in a directory of its own.
func serve(t *testing.T) (*Client, fake) {
	t.Helper()
	path := filepath.Join(t.TempDir(), SocketName)
	s, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	f := fake{make(chan struct{})}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- NewServer(f, nil).Serve(ctx, s, nil) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		s.Close()
	})
	return NewClient(path), f
}

func TestClientAndServer(t *testing.T) {
	c, f := serve(t)
	ctx := t.Context()
	if n, err := c.Node(ctx); err != nil || n.Name != "n" {
		t.Errorf("%+v, %v", n, err)
	}
	if m, err := c.Members(ctx); err != nil || len(m) != 1 || m[0].Name != "n" {
		t.Errorf("%+v, %v", m, err)
	}
	var refusal *Error
	if _, err := c.JoinString(ctx); !errors.As(err, &refusal) || refusal.Reason != ReasonSolo || refusal.Status != http.StatusConflict || err.Error() != "on its own: start it otherwise" {
		t.Errorf("%v", err)
	}
	var metrics strings.Builder
	if err := c.Metrics(ctx, &metrics); err != nil || metrics.String() != "filch_up 1\n" {
		t.Errorf("%q, %v", metrics.String(), err)
	}
	var kinds []string
	for e, err := range c.Watch(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		if kinds = append(kinds, e.Kind); e.Kind == EventSynced {
			break
		}
	}
	if strings.Join(kinds, " ") != "present synced" {
		t.Errorf("%v", kinds)
	}
	if err := c.Leave(ctx, 0); err != nil {
		t.Error(err)
	}
	<-f.left
}

// TestServerRefuses what it does not have, in JSON that says what to do.
func TestServerRefuses(t *testing.T) {
	h := NewServer(fake{}, nil).Handler(nil)
	for _, c := range []struct {
		method, path, body, reason string
		status                     int
	}{
		{"GET", "/v2/nodes", "", ReasonNotFound, 404},
		{"GET", "/v1/nodes/", "", ReasonNotFound, 404},
		{"GET", "/" + strings.Repeat("x", 9000), "", ReasonNotFound, 404},
		{"GET", "/v1/leave", "", ReasonMethod, 405},
		{"DELETE", "/v1/node", "", ReasonMethod, 405},
		{"POST", "/v1/leave", strings.Repeat("x", maxBody+1), ReasonTooLarge, 413},
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(c.method, c.path, strings.NewReader(c.body)))
		var e Error
		if err := json.Unmarshal(w.Body.Bytes(), &e); err != nil || w.Code != c.status || e.Reason != c.reason || e.Message == "" || w.Body.Len() > 1000 {
			t.Errorf("%s %.20s: %d %s (%v)", c.method, c.path, w.Code, w.Body, err)
		}
	}
}

// TestWatchersAreBounded, so that others get through.
func TestWatchersAreBounded(t *testing.T) {
	s := NewServer(fake{}, nil)
	for range maxWatchers {
		s.watchers <- struct{}{}
	}
	w := httptest.NewRecorder()
	s.Handler(nil).ServeHTTP(w, httptest.NewRequest("GET", "/v1/watch", nil))
	if w.Code != http.StatusTooManyRequests {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// TestGuard: on TCP nothing is answered without the token, nothing to other sites' pages,
// nothing under a foreign name, and the secret never.
func TestGuard(t *testing.T) {
	const token = "correct horse battery"
	h := NewServer(fake{}, nil).Handler(NewGuard(token, "node.example"))
	for _, c := range []struct {
		name, path, host, authorization string
		header, value                   string
		status                          int
	}{
		{"right", "/v1/nodes", "127.0.0.1:9", "Bearer " + token, "", "", 200},
		{"scheme in other case", "/v1/nodes", "127.0.0.1:9", "bearer " + token, "", "", 200},
		{"metrics", "/metrics", "[::1]:9", "Bearer " + token, "", "", 200},
		{"its name", "/v1/nodes", "NODE.example:9", "Bearer " + token, "", "", 200},
		{"same origin", "/v1/nodes", "localhost:9", "Bearer " + token, "Origin", "http://localhost:9", 200},
		{"no token", "/v1/nodes", "127.0.0.1:9", "", "", "", 401},
		{"no token, unknown path", "/x", "127.0.0.1:9", "", "", "", 401},
		{"wrong token", "/v1/nodes", "127.0.0.1:9", "Bearer " + token + "x", "", "", 401},
		{"other scheme", "/v1/nodes", "127.0.0.1:9", "Basic " + token, "", "", 401},
		{"rebound name", "/v1/nodes", "evil.example", "Bearer " + token, "", "", 403},
		{"no name", "/v1/nodes", "", "Bearer " + token, "", "", 403},
		{"other site", "/v1/nodes", "localhost", "Bearer " + token, "Sec-Fetch-Site", "cross-site", 403},
		{"same site only", "/v1/nodes", "localhost", "Bearer " + token, "Sec-Fetch-Site", "same-site", 403},
		{"other origin", "/v1/nodes", "localhost", "Bearer " + token, "Origin", "http://evil.example", 403},
		{"opaque origin", "/v1/nodes", "localhost", "Bearer " + token, "Origin", "null", 403},
		{"the secret", "/v1/join-string", "127.0.0.1:9", "Bearer " + token, "", "", 403},
	} {
		r := httptest.NewRequest("GET", c.path, nil)
		r.Host = c.host
		if c.authorization != "" {
			r.Header.Set("Authorization", c.authorization)
		}
		if c.header != "" {
			r.Header.Set(c.header, c.value)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != c.status {
			t.Errorf("%s: %d, want %d: %s", c.name, w.Code, c.status, w.Body)
		}
	}
}

// TestSocketOfADeadNodeIsReplaced, and a living one's is refused.
func TestSocketOfADeadNodeIsReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sub", SocketName)
	first, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if _, err := Listen(path); !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), "process ") {
		t.Errorf("a second one: %v", err)
	}
	first.Listener.(*net.UnixListener).SetUnlinkOnClose(false) // as if it had been killed
	first.Close()
	if _, err := Find(t.Context(), path, os.Getenv); err == nil {
		t.Error("somebody answers at a dead node's socket")
	}
	second, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	second.Close()
	if _, err := os.Lstat(path); err == nil {
		t.Error("the socket is still there")
	}
}

func TestListenRefuses(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(file); err == nil || !strings.Contains(err.Error(), "something else of that name") {
		t.Errorf("%v", err)
	}
	if _, err := Listen(filepath.Join(dir, strings.Repeat("x", MaxSocketPath))); err == nil || !strings.Contains(err.Error(), "--socket") {
		t.Errorf("%v", err)
	}
	other, err := net.Listen("unix", filepath.Join(dir, "other")) // holds no lock
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _, err := Listen(filepath.Join(dir, "other")); !errors.Is(err, ErrInUse) {
		t.Errorf("%v", err)
	}
}

func TestPlaces(t *testing.T) {
	env := func(kv ...string) func(string) string {
		m := map[string]string{}
		for i := 0; i < len(kv); i += 2 {
			m[kv[i]] = kv[i+1]
		}
		return func(k string) string { return m[k] }
	}
	if p := Places(env("FILCH_SOCKET", "/s", "FILCH_DATA_DIR", "/d")); len(p) != 1 || p[0] != "/s" {
		t.Error(p)
	}
	if p := Places(env("FILCH_DATA_DIR", "/d")); len(p) != 1 || p[0] != "/d/control.sock" {
		t.Error(p)
	}
	p := Places(env("XDG_STATE_HOME", "/h/state", "XDG_RUNTIME_DIR", "/run/user/1"))
	if len(p) != 4 || p[0] != "/h/state/filch/control.sock" {
		t.Error(p)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var nobody *NotRunningError
	if _, err := Find(ctx, "", env("FILCH_SOCKET", "/no/such.sock")); !errors.As(err, &nobody) || !strings.Contains(err.Error(), "/no/such.sock") {
		t.Error(err)
	}
}
