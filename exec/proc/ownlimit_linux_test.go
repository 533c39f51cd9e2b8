package proc

import (
	"math"
	"os"
	"path/filepath"
	"testing"
)

// The least limit counts, of our group or of one around it, in either version.
func TestMemoryLimitOfOurs(t *testing.T) {
	for _, c := range []struct {
		file, outer, inner string
		want               int64
	}{
		{"memory.max", "1000\n", "max\n", 1000},
		{"memory.max", "1000\n", "900\n", 900},
		{"memory.max", "max\n", "max\n", math.MaxInt64},
		{"memory.max", "", "", math.MaxInt64},
		{"memory.limit_in_bytes", "9223372036854771712\n", "5000\n", 5000},
		{"memory.limit_in_bytes", "700\n", "9223372036854771712\n", 700},
	} {
		root := t.TempDir()
		inner := filepath.Join(root, "outer", "inner")
		os.MkdirAll(inner, 0o700)
		for dir, text := range map[string]string{inner: c.inner, filepath.Dir(inner): c.outer} {
			os.WriteFile(filepath.Join(dir, "cgroup.procs"), nil, 0o600)
			if text != "" {
				os.WriteFile(filepath.Join(dir, c.file), []byte(text), 0o600)
			}
		}
		if got := (controller{name: "memory", dir: inner, unified: c.file == "memory.max"}).memoryLimit(); got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
	}
	if MemoryLimit() <= 0 {
		t.Error(MemoryLimit())
	}
}
