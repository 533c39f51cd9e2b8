//go:build unix

package main

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestAPIDocument runs the commands of docs/api.md against a node.
func TestAPIDocument(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("there is no curl here")
	}
	text, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	p := startUp(t, filepath.Join(t.TempDir(), "d"), "", "--solo", "--control-listen", "127.0.0.1:0")
	listen := regexp.MustCompile(`control API on TCP" listen=(\S+)`)
	at := listen.FindStringSubmatch(p.said.String())
	for late := time.Now().Add(deadline); at == nil && time.Now().Before(late); at = listen.FindStringSubmatch(p.said.String()) {
		time.Sleep(10 * time.Millisecond) // it is said on another stream than that it is ready
	}
	if at == nil {
		t.Fatalf("it does not say where its control API is: %s", p.said)
	}
	commands := regexp.MustCompile(`(?m)^curl (?:.*\\\n)*.*$`).FindAllString(string(text), -1)
	if len(commands) != 5 {
		t.Fatalf("%d commands in the document: %q", len(commands), commands)
	}
	const tookTooLong = 28 // what curl ends with after --max-time: a stream has no end
	for _, line := range commands {
		stream := strings.Contains(line, "/watch")
		line = strings.NewReplacer("~/.local/state/filch", p.dir, "127.0.0.1:7414", at[1]).Replace(line)
		if stream {
			line += " --max-time 2"
		}
		out, err := exec.CommandContext(t.Context(), "sh", "-c", line+" -sS --fail").Output()
		var exit *exec.ExitError
		if err != nil && !(stream && errors.As(err, &exit) && exit.ExitCode() == tookTooLong) {
			t.Errorf("%s: %v\n%s", line, err, out)
		}
		switch {
		case stream:
			if lines := strings.Split(string(out), "\n"); len(lines) < 2 || !strings.Contains(lines[0], `"present"`) || !strings.Contains(lines[1], `"synced"`) {
				t.Errorf("%s: %s", line, out)
			}
		case strings.Contains(line, "/jobs"):
			var job struct{ ID string }
			if err := json.Unmarshal(out, &job); err != nil || job.ID == "" {
				t.Errorf("%s: %v\n%s", line, err, out)
			}
		case strings.Contains(line, "/decide"):
			var d struct {
				Node       string
				Candidates []map[string]any
			}
			if err := json.Unmarshal(out, &d); err != nil || d.Node == "" || len(d.Candidates) != 1 {
				t.Fatalf("%s: %v\n%s", line, err, out)
			}
			for field := range d.Candidates[0] {
				if !strings.Contains(string(text), `"`+field+`"`) {
					t.Errorf("a candidate has %s, and the document has not", field)
				}
			}
		case strings.Contains(line, "/metrics"):
			if !strings.Contains(string(out), "\nfilch_workers ") {
				t.Errorf("%s: %s", line, out)
			}
		default:
			var doc struct{ Nodes []map[string]any }
			if err := json.Unmarshal(out, &doc); err != nil || len(doc.Nodes) != 1 {
				t.Fatalf("%s: %v\n%s", line, err, out)
			}
			for _, field := range []string{"name", "id", "state", "addrs", "labels", "level", "rtt_seconds", "arch", "cores", "free_cores", "memory_bytes", "kinds", "load", "age_seconds"} {
				if _, ok := doc.Nodes[0][field]; !ok || !strings.Contains(string(text), `"`+field+`"`) {
					t.Errorf("a member has no %s, or the document does not", field)
				}
			}
		}
	}
}
