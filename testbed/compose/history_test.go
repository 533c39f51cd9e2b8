package compose

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestHistoriesThatCannotBe: the checker finds what it is for, and lets pass what is right.
func TestHistoriesThatCannotBe(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(int64(1000+s), 0) }
	want := func(task int) string { return fmt.Sprint("r", task) }
	good := func() *History {
		return &History{
			Events: []Event{
				{1, "began", "a", at(0)}, {1, "ended", "a", at(1)},
				{2, "began", "b", at(0)}, {2, "second", "a", at(12)}, {2, "began", "a", at(12)}, {2, "ended", "a", at(13)}, {2, "ended", "b", at(21)},
			},
			Pauses:  []Pause{{"b", at(1), at(20)}},
			Results: []string{"r1", "r2"}, Logged: []int{1, 2}, Over: at(22),
		}
	}
	if wrong, excused := good().Check(2, want); len(wrong) > 0 || excused != 1 {
		t.Errorf("a right history: %v, %d excused", wrong, excused)
	}
	for says, change := range map[string]func(*History){
		"lost:":         func(h *History) { h.Results = h.Results[:1] },
		"answer:":       func(h *History) { h.Results[1] = "r3" },
		"once: task 2":  func(h *History) { h.Logged = []int{1, 2, 2} },
		"once: task 1":  func(h *History) { h.Logged = []int{2} },
		"from nowhere:": func(h *History) { h.Events = h.Events[2:] },
		"twice:":        func(h *History) { h.Pauses = nil },
		"twice: ":       func(h *History) { h.Pauses[0].Node = "a" },
		"twice: task 2": func(h *History) { h.Pauses[0].End = at(5) },
		"late:":         func(h *History) { h.Over = at(10) },
	} {
		h := good()
		change(h)
		if wrong, _ := h.Check(2, want); !strings.Contains(strings.Join(wrong, "\n"), says) {
			t.Errorf("%s %v", says, wrong)
		}
	}
}
