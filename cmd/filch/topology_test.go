package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// runTopology runs the verb and returns what it prints.
func runTopology(t *testing.T, args ...string) (string, error) {
	t.Helper()
	cmd := newTopologyCmd()
	var out bytes.Buffer
	cmd.SetArgs(args)
	cmd.SetOut(&out)
	cmd.SetErr(&bytes.Buffer{})
	cmd.SilenceUsage, cmd.SilenceErrors = true, true
	err := cmd.Execute()
	return out.String(), err
}

func TestTopologyOfThisMachine(t *testing.T) {
	out, err := runTopology(t)
	if err != nil || !strings.HasPrefix(out, "machine ") || !strings.Contains(out, "\nworkers ") || !strings.Contains(out, "levels between ") {
		t.Fatalf("%v\n%s", err, out)
	}
}

// makeRoot is a machine of two cores with two threads each.
func makeRoot(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	put := func(name, content string) {
		p := filepath.Join(dir, "dump", filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(content+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for cpu, core := range map[string]string{"0": "5", "1": "a", "2": "5", "3": "a"} {
		base := "sys/devices/system/cpu/cpu" + cpu + "/topology/"
		put(base+"core_cpus", core)
		put(base+"package_cpus", "f")
		put(base+"physical_package_id", "0")
	}
	put("proc/cpuinfo", "model name : A test machine")
	return dir
}

func TestTopologyOfARoot(t *testing.T) {
	root := makeRoot(t)
	out, err := runTopology(t, "--root", root)
	if err != nil || !strings.Contains(out, "A test machine") || !strings.Contains(out, "core 0  CPU 0,2") {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, args := range [][]string{{"--root", root, "--output", "json"}, {"--root=" + root, "-o", "json"}} {
		out, err := runTopology(t, args...)
		if err != nil {
			t.Fatal(err)
		}
		var doc struct {
			CPUs []map[string]any `json:"cpus"`
		}
		if err := json.Unmarshal([]byte(out), &doc); err != nil || len(doc.CPUs) != 4 {
			t.Fatalf("%v\n%s", err, out)
		}
		if doc.CPUs[0]["core"] != doc.CPUs[2]["core"] || doc.CPUs[0]["core"] == doc.CPUs[1]["core"] {
			t.Errorf("cores: %v", doc.CPUs)
		}
	}
}

func TestTopologyRefuses(t *testing.T) {
	for _, c := range []struct {
		says string
		args []string
	}{
		{"no machine described here", []string{"--root", t.TempDir()}},
		{"no such file", []string{"--root", filepath.Join(t.TempDir(), "nowhere")}},
		{"there is text and json", []string{"-o", "yaml"}},
		{"unknown command", []string{"surplus"}},
		{"unknown flag", []string{"--rot", "x"}},
	} {
		out, err := runTopology(t, c.args...)
		if err == nil || !strings.Contains(err.Error(), c.says) || out != "" {
			t.Errorf("%v: %v, want an error that says %q\n%s", c.args, err, c.says, out)
		}
	}
}
