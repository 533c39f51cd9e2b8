//go:build unix

package node

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDataDirOfOthers: a directory that others may only list is taken as it is; one that they
// may write to, or that is somebody else's, is refused with what to do.
func TestDataDirOfOthers(t *testing.T) {
	for mode, says := range map[os.FileMode]string{
		0o700: "", 0o750: "", 0o755: "", 0o770: "chmod go-w ", 0o702: "chmod go-w ", 0o777: "chmod go-w ",
	} {
		dir := filepath.Join(t.TempDir(), "d")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
		d, err := openDataDir(dir)
		if says == "" && err != nil || says != "" && (err == nil || !strings.Contains(err.Error(), says+dir)) {
			t.Errorf("mode %04o: %v, want %q", mode, err, says)
		}
		if err != nil {
			continue
		}
		if _, err := d.self(nil); err != nil {
			t.Errorf("mode %04o: %v", mode, err)
		}
		d.Close()
		info, err := os.Stat(dir)
		if err != nil || info.Mode().Perm() != mode {
			t.Errorf("mode %04o became %v, %v", mode, info.Mode(), err)
		}
		for _, file := range []string{fileIdentity, fileSecret, fileIncarnation} {
			if info, err := os.Stat(filepath.Join(dir, file)); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s in a directory of mode %04o: %v, %v", file, mode, info.Mode(), err)
			}
		}
	}
	if os.Geteuid() != 0 {
		return // who is not root cannot give a directory away
	}
	dir := t.TempDir()
	if err := os.Chown(dir, 12345, -1); err != nil {
		t.Fatal(err)
	}
	if _, err := openDataDir(dir); err == nil || !strings.Contains(err.Error(), "belongs to user 12345") {
		t.Errorf("another user's: %v", err)
	}
}

// TestUsableMemory is the least of machine and cgroup, where they are known.
func TestUsableMemory(t *testing.T) {
	for _, c := range []struct{ machine, limit, want int64 }{
		{8 << 30, math.MaxInt64, 8 << 30}, {8 << 30, 1 << 30, 1 << 30}, {1 << 30, 8 << 30, 1 << 30},
		{0, 1 << 30, 1 << 30}, {0, math.MaxInt64, 0},
	} {
		if got := usableMemory(c.machine, c.limit); got != c.want {
			t.Errorf("machine %d, limit %d: %d, want %d", c.machine, c.limit, got, c.want)
		}
	}
}

// FuzzSettingsFile: whatever a configuration file has in it is settings or an error that
// names the file, and settings that apply make a configuration that is complete or refused.
func FuzzSettingsFile(f *testing.F) {
	f.Add("name = \"n\"\nworkers = 3\nlisten = [\"127.0.0.1:1\"]\nlabels = { rack = \"r1\", slot = 4 }\n")
	f.Add("solo = true\njoin = [\"filch1\"]")
	f.Add("labels = { a = [[]] }\nlabel = \"a=b\"")
	f.Add("accept = []\ndrain-timeout = \"1h\"\nno-mdns = false")
	path := filepath.Join(f.TempDir(), "filch.toml")
	f.Fuzz(func(t *testing.T, text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := FileSettings(path)
		var c Config
		if err == nil {
			err = s.Apply(&c)
		}
		if err != nil {
			if !strings.Contains(err.Error(), path) {
				t.Errorf("%q: the error does not name the file: %v", text, err)
			}
			return
		}
		if c, err = c.complete(); err == nil && (c.Workers < 0 || len(c.Labels) > maxLabels || len(c.Listen) > maxListen || c.Name == "") {
			t.Errorf("%q: accepted %+v", text, c)
		}
	})
}
