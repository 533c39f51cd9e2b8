package parallel

import "testing"

func TestParseHalt(t *testing.T) {
	for s, want := range map[string]HaltRule{
		"never": {}, "now,fail=1": {Now: true, Why: OnFail, Count: 1}, "soon,success=20": {Why: OnSuccess, Count: 20},
		"now,done=50%": {Now: true, Why: OnDone, Percent: 50}, "soon,fail=0.5%": {Why: OnFail, Percent: 0.5},
		"0": {}, "1": {Why: OnFail, Count: 1}, "2": {Now: true, Why: OnFail, Count: 1}, "-2": {Now: true, Why: OnSuccess, Count: 1}, "10%": {Why: OnFail, Percent: 10},
	} {
		if got, err := ParseHalt(s); got != want || err != nil {
			t.Errorf("%q: got %v, %v, want %v", s, got, err, want)
		}
	}
	for _, s := range []string{"", "now", "fail=1", "now,fail", "now,fail=", "now,fail=0", "now,fail=-1", "later,fail=1", "now,x=1",
		"now,fail=0%", "now,fail=101%", "now,fail=NaN%", "now,fail=x%", "never,fail=1", "3", "%", "now,,fail=1", "now,fail=1,"} {
		if got, err := ParseHalt(s); err == nil {
			t.Errorf("%q is %v", s, got)
		}
	}
}

// The stories and exit codes are what GNU parallel says to
// parallel --halt RULE -j1 'exit {}' ::: exits
func TestHalter(t *testing.T) {
	for _, c := range []struct {
		rule  string
		exits []int
		after int // tasks; 0: it does not halt
		code  int
	}{
		{"never", []int{1, 1, 1}, 0, 0},
		{"now,fail=1", []int{0, 3, 1, 0}, 2, 3},
		{"soon,fail=2", []int{0, 3, 1, 0}, 3, 2},
		{"now,success=1", []int{3, 0, 1}, 2, 0},
		{"now,done=2", []int{0, 3, 1}, 2, 1},
		{"now,done=1", []int{7, 3, 1}, 1, 7},
		{"now,fail=50%", []int{0, 3, 1, 0}, 3, 50},
		{"now,fail=30%", []int{3, 0, 0}, 1, 34},
		{"now,success=100%", []int{0, 0}, 2, 0},
		{"now,fail=100%", []int{1, 0}, 0, 0},
		{"now,fail=1", []int{137}, 1, 137},
		{"now,fail=5", []int{1, 1}, 0, 0},
	} {
		rule, err := ParseHalt(c.rule)
		if err != nil {
			t.Fatal(err)
		}
		h := NewHalter(rule)
		h.Total(int64(len(c.exits)))
		after := 0
		for i, exit := range c.exits {
			if h.Ended(exit) {
				if after != 0 {
					t.Errorf("%s halts twice", c.rule)
				}
				after = i + 1
			}
		}
		code, halted := h.Halted()
		if after != c.after || code != c.code || halted != (after > 0) {
			t.Errorf("%s %v: halted after %d with %d, want %d, %d", c.rule, c.exits, after, code, c.after, c.code)
		}
	}
}

// A percentage waits for the total.
func TestHalterLearnsTotal(t *testing.T) {
	h := NewHalter(HaltRule{Why: OnFail, Percent: 50})
	if h.Ended(1) || h.Ended(0) || h.Total(5) || h.Ended(1) {
		t.Error("too early")
	}
	if !h.Ended(1) {
		t.Error("3 of 5 is more than half")
	}
	h = NewHalter(HaltRule{Why: OnFail, Percent: 50})
	h.Ended(1)
	if !h.Total(2) {
		t.Error("1 of 2 is half")
	}
}

// A run that came to its end without halting, as parallel ends it.
func TestHalterAtEnd(t *testing.T) {
	for _, c := range []struct {
		rule         string
		failed, code int
	}{{"never", 3, 3}, {"now,fail=9", 3, 3}, {"now,fail=50%", 3, 25}, {"soon,success=100%", 1, 9}, {"now,fail=50%", 0, 0}, {"never", 102, 101}} {
		rule, err := ParseHalt(c.rule)
		if err != nil {
			t.Fatal(err)
		}
		h := NewHalter(rule)
		h.Total(12)
		if code := h.AtEnd(int64(c.failed)); code != c.code {
			t.Errorf("%s, %d of 12 failed: exit code %d at the end, want %d", c.rule, c.failed, code, c.code)
		}
	}
}

func FuzzParseHalt(f *testing.F) {
	f.Add("now,fail=1%")
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ParseHalt(s)
		if err == nil && r.Why != Never && (r.Count < 0 || r.Count == 0) == (r.Percent <= 0 || r.Percent > 100) {
			t.Errorf("%q is %+v", s, r)
		}
	})
}
