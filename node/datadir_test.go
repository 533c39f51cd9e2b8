package node

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestDataDirIsSwept: what was left half written by a node that was killed does not gather,
// and nothing else is touched.
func TestDataDirIsSwept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a [b]*")
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"incarnation.new-12", "identity.new-3", "secret.new-", "peers.new77", "control-token.new-1", "notes.new", "peers.old"} {
		if err := os.WriteFile(filepath.Join(path, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d, err := openDataDir(path)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var left []string
	there, err := os.ReadDir(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range there {
		left = append(left, entry.Name())
	}
	if want := []string{"lock", "notes.new", "peers.old"}; !slices.Equal(left, want) {
		t.Errorf("there is %q, want %q", left, want)
	}
}
