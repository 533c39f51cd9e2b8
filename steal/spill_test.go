package steal

import (
	"errors"
	"io"
	"testing"
)

// An output that cannot be kept keeps its length, and whoever reads it gets to know why.
func TestAnOutputThatIsLostSaysWhy(t *testing.T) {
	t.Setenv("TMPDIR", "/nonexistent/for/outputs")
	s := new(spill)
	if err := s.write(make([]byte, spillAfter)); err != nil {
		t.Fatal(err)
	}
	if err := s.write([]byte("more")); err == nil {
		t.Skip("temporary files are elsewhere on this system")
	}
	full := errors.New("full")
	s.lose(full)
	if err := s.write([]byte("and more")); err != nil {
		t.Errorf("what still comes: %v", err)
	}
	if want := int64(spillAfter + len("more") + len("and more")); s.Len() != want {
		t.Errorf("%d bytes, want %d", s.Len(), want)
	}
	if _, err := io.ReadAll(s.Reader()); err != full {
		t.Errorf("its reader says %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
