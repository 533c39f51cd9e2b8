package parallel

import "testing"

func TestFinished(t *testing.T) {
	var f Finished
	if f.Has(1, "a") {
		t.Error("the empty log has something")
	}
	f.Add(Entry{Seq: 1, Command: "a"})
	f.Add(Entry{Seq: 3, Command: "c\nd"})
	f.Add(Entry{Seq: 1 << 63, Command: "z"})
	f.Add(Entry{Seq: 4, Command: "old"})
	f.Add(Entry{Seq: 4, Command: "new"})
	for _, c := range []struct {
		seq     uint64
		command string
		want    bool
	}{
		{1, "a", true}, {1, "b", false}, {2, "a", false}, {3, "c\nd", true}, {3, "c\x00d", true}, {3, "cd", false},
		{4, "new", true}, {4, "old", false}, {1 << 63, "z", true}, {0, "", false}, {2, "", false},
	} {
		if got := f.Has(c.seq, c.command); got != c.want {
			t.Errorf("%d %q: %v", c.seq, c.command, got)
		}
	}
}
