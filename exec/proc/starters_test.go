package proc

import "testing"

// A namedStarter is one of the ways to start commands on this system.
type namedStarter struct {
	name    string
	starter starter
}

// newRunner makes a Runner that is closed at the end of the test.
func newRunner(t testing.TB, c Config) *Runner {
	t.Helper()
	r, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func parse(t testing.TB, line string) Command {
	t.Helper()
	c, err := Parse(line)
	if err != nil {
		t.Fatalf("Parse(%q): %v", line, err)
	}
	return c
}
