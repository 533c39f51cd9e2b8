//go:build unix

package node

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"go.uber.org/goleak"

	"github.com/filchsched/filch/gossip/identity"
	"github.com/filchsched/filch/node/control"
)

// TestZeroConfig: a node that was told nothing listens nowhere, writes nothing, knows
// itself, and leaves no goroutine behind.
func TestZeroConfig(t *testing.T) {
	defer goleak.VerifyNone(t)
	t.Chdir(t.TempDir())
	n, err := Start(t.Context(), Config{})
	if err != nil {
		t.Fatal(err)
	}
	about, err := n.About(t.Context())
	if err != nil || len(about.Listen) != 0 || about.Socket != "" || about.DataDir != "" || about.Cluster != "" || !n.Joined() {
		t.Errorf("%+v, %v", about, err)
	}
	if m := n.Members(); len(m) != 1 || m[0].ID != n.ID() || !m[0].Self || m[0].Cores < 1 {
		t.Errorf("%+v", m)
	}
	if err := n.Drain(t.Context()); err != nil {
		t.Error(err)
	}
	if err := n.Run(t.Context()); !errors.Is(err, ErrEnded) {
		t.Errorf("running again: %v", err)
	}
	if files, _ := os.ReadDir("."); len(files) != 0 {
		t.Errorf("it wrote %v", files)
	}
}

// TestNodeEndsWithItsContext, and leaves nothing behind, ports and sockets included.
func TestNodeEndsWithItsContext(t *testing.T) {
	defer goleak.VerifyNone(t)
	dir := t.TempDir()
	os.Chmod(dir, 0o700)
	ctx, cancel := context.WithCancel(t.Context())
	n, err := Start(ctx, Config{DataDir: dir, Listen: []string{"127.0.0.1:0"}, Socket: filepath.Join(dir, control.SocketName)})
	if err != nil {
		t.Fatal(err)
	}
	about, err := n.About(ctx)
	if err != nil || len(about.Listen) != 1 || about.Incarnation != 1 {
		t.Errorf("%+v, %v", about, err)
	}
	join, err := n.JoinString(ctx)
	if inv, bad := identity.ParseInvitation(join); err != nil || bad != nil || len(inv.Peers) != 1 || inv.Peers[0].ID.String() != n.ID() {
		t.Errorf("%v, %v", err, bad)
	}
	cancel()
	<-n.Done()
	if err := n.Err(); err != nil {
		t.Error(err)
	}
	if err := CanListen(about.Listen[0]); err != nil {
		t.Errorf("the port is still taken: %v", err)
	}
}

// TestMetricsParse as Prometheus reads them, with no peer ID in them.
func TestMetricsParse(t *testing.T) {
	defer goleak.VerifyNone(t)
	n, err := Start(t.Context(), Config{Listen: []string{"127.0.0.1:0"}})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Drain(context.Background())
	const token = "0123456789abcdef"
	scrape := func(authorization string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", "/metrics", nil)
		r.Host = "127.0.0.1"
		r.Header.Set("Authorization", authorization)
		w := httptest.NewRecorder()
		n.Handler(token).ServeHTTP(w, r)
		return w
	}
	if w := scrape(""); w.Code != http.StatusUnauthorized {
		t.Errorf("without the token: %d", w.Code)
	}
	w := scrape("Bearer " + token)
	text := w.Body.Bytes()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	for _, name := range []string{"filch_build_info", "filch_peers", "filch_workers", "filch_refused_total", "filch_packets_sent_bytes_total", "filch_gossip_news_refused_total", "go_goroutines"} {
		if families[name] == nil {
			t.Errorf("there is no %s", name)
		}
	}
	if strings.Contains(string(text), n.ID()) {
		t.Error("a peer ID among the labels")
	}
}

// TestDataDir: who a node is survives its end, and what does not fit together is refused
// with what to do.
func TestDataDir(t *testing.T) {
	open := func(t *testing.T, path string, invited *identity.Secret) (self, error) {
		t.Helper()
		d, err := openDataDir(path)
		if err != nil {
			return self{}, err
		}
		defer d.Close()
		return d.self(invited)
	}
	path := filepath.Join(t.TempDir(), "a", "b")
	first, err := open(t, path, nil)
	if err != nil || !first.fresh || first.incarnation != 1 {
		t.Fatalf("%+v, %v", first, err)
	}
	again, err := open(t, path, &first.secret)
	if err != nil || again.fresh || again.incarnation != 2 || again.identity.ID() != first.identity.ID() || !again.secret.Equal(first.secret) {
		t.Fatalf("%+v, %v", again, err)
	}
	other := identity.NewSecret()
	if _, err := open(t, path, &other); err == nil || !strings.Contains(err.Error(), "belongs to cluster "+first.cluster.ID()) {
		t.Errorf("another cluster: %v", err)
	}
	d, err := openDataDir(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := openDataDir(path); !errors.Is(err, ErrDataDirInUse) || !strings.Contains(err.Error(), "process ") {
		t.Errorf("a second one: %v", err)
	}
	d.Close()
	for _, c := range []struct{ file, content, says string }{
		{"incarnation", "seven", `holds "seven", which is no number`},
		{"incarnation", "-1", "which is no number"},
		{"identity", "filch", "restore it from a copy"},
		{"identity", strings.Repeat("x", maxSmallFile+1), "cannot be right"},
		{"secret", "", "restore it from a copy"},
	} {
		dir := t.TempDir()
		os.Chmod(dir, 0o700)
		if _, err := open(t, dir, nil); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, c.file), []byte(c.content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := open(t, dir, nil); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s with %.10q: %v", c.file, c.content, err)
		}
	}
	if err := os.Remove(filepath.Join(path, "incarnation")); err != nil {
		t.Fatal(err)
	}
	if _, err := open(t, path, nil); err == nil || !strings.Contains(err.Error(), "incarnation is missing") {
		t.Errorf("a lost count: %v", err)
	}
	if err := os.Chmod(filepath.Join(path, "secret"), 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := open(t, path, nil); err == nil || !strings.Contains(err.Error(), "chmod go-rwx") {
		t.Errorf("a secret that others read: %v", err)
	}
}

// TestSettings: flags go over the environment, the environment over the file; errors say
// where.
func TestSettings(t *testing.T) {
	file := filepath.Join(t.TempDir(), "filch.toml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("name = \"file\"\nworkers = 3\nlisten = [\"127.0.0.1:1\"]\nlabels = { rack = \"r1\", slot = 4 }\n")
	low, err := FileSettings(file)
	if err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"FILCH_NAME": "env", "FILCH_LISTEN": "127.0.0.1:2, [::1]:2", "FILCH_ACCEPT": ""}
	middle := EnvironmentSettings(func(k string) (string, bool) { v, ok := env[k]; return v, ok })
	var high Settings
	high.Say("name", "--name", "flag")
	var c Config
	if err := high.Over(middle.Over(low)).Apply(&c); err != nil {
		t.Fatal(err)
	}
	if c.Name != "flag" || strings.Join(c.Listen, " ") != "127.0.0.1:2 [::1]:2" || c.Workers != 3 || c.Labels["rack"] != "r1" || c.Labels["slot"] != "4" {
		t.Errorf("%+v", c)
	}
	for text, says := range map[string]string{
		"name = 1\nnmae = 2":       "nmae: there is no such setting; there is name,",
		"name = [\"a\"]":           "name: one value is expected",
		"listen = [[1]]":           "listen: item 1 is not a plain value",
		"labels = \"a\"":           "labels: a table is expected",
		"x = ":                     "filch.toml:1: ",
		"label = [\"nothing\"]":    "label: \"nothing\" is not KEY=VALUE",
		"solo = \"perhaps\"":       "solo: \"perhaps\" is not true or false",
		"drain-timeout = \"soon\"": "drain-timeout: \"soon\" is not a time",
	} {
		write(text)
		s, err := FileSettings(file)
		if err == nil {
			err = s.Apply(new(Config))
		}
		if err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), file) {
			t.Errorf("%q: %v, want %q", text, err, says)
		}
	}
}
