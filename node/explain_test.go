package node

import "testing"

// TestAChildIsExplainedByItsParent: its name without the numbers of children names who is accountable.
func TestAChildIsExplainedByItsParent(t *testing.T) {
	for name, want := range map[string]string{
		"home/1.2/3": "home/1.2/3", "home/1.2/3.4": "home/1.2/3", "home/1.2/3.4.5": "home/1.2/3",
		"n1/run/7": "n1/run/7", "1.2": "1.2", "": "", "a/b.c": "a/b.c", "x/.1": "x/.1", "job.1/2": "job.1/2",
	} {
		if got := withoutChildren(name); got != want {
			t.Errorf("%q became %q, not %q", name, got, want)
		}
	}
}
