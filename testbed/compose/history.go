package compose

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// An Event is what a copy of a command noted of itself.
type Event struct {
	Task int
	What string // began, ended, or second: another copy held the lock
	Node string
	At   time.Time
}

// A Pause is when a node's container stood still: from when the engine was asked until it had answered that it goes on.
type Pause struct {
	Node       string
	Begin, End time.Time
}

// A History is what is known of a job of commands: what its tasks noted, in the order in which they did, and what its home
// told.
type History struct {
	Events  []Event
	Pauses  []Pause
	Results []string // what was printed, task by task, in order
	Logged  []int    // the tasks of the job log, in its order
	Over    time.Time
}

// Grace is how long a copy may live that was paused: the supervisor has to come to run and look at the time.
const Grace = 3 * time.Second

// ParseEvents reads what tasks noted.
func ParseEvents(text string) (all []Event, err error) {
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) != 4 {
			return nil, fmt.Errorf("%q is no event", line)
		}
		task, err := strconv.Atoi(f[0])
		if err != nil {
			return nil, err
		}
		ns, err := strconv.ParseInt(f[3], 10, 64)
		if err != nil {
			return nil, err
		}
		all = append(all, Event{task, f[1], f[2], time.Unix(0, ns)})
	}
	return all, nil
}

// Check tells what is wrong with a history of n tasks, counted from 1, whose right results are given by want. excused
// counts second copies that began while the first was paused.
func (h *History) Check(n int, want func(task int) string) (wrong []string, excused int) {
	complain := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	if len(h.Results) != n {
		complain("lost: %d results of %d tasks", len(h.Results), n)
	}
	for i, r := range h.Results {
		if r != want(i+1) {
			complain("answer: result %d is %q, not %q", i+1, r, want(i+1))
		}
	}
	logged := make(map[int]int)
	for _, task := range h.Logged {
		logged[task]++
	}
	by := make(map[int][]Event)
	for _, e := range h.Events {
		by[e.Task] = append(by[e.Task], e)
		if e.At.After(h.Over.Add(Grace)) {
			complain("late: task %d %s on %s %v after the job was over", e.Task, e.What, e.Node, e.At.Sub(h.Over))
		}
	}
	for task := 1; task <= n; task++ {
		if logged[task] != 1 {
			complain("once: task %d is %d times in the job log", task, logged[task])
		}
		if !slices.ContainsFunc(by[task], func(e Event) bool { return e.What == "ended" }) {
			complain("from nowhere: task %d has a result and never ran to its end", task)
		}
		more, twice := h.copies(by[task])
		wrong, excused = append(wrong, twice...), excused+more
	}
	return wrong, excused
}

// copies looks at second copies of one task.
func (h *History) copies(events []Event) (excused int, wrong []string) {
	for i, e := range events {
		if e.What != "second" {
			continue
		}
		if slices.ContainsFunc(events[:i], func(first Event) bool { return first.What == "began" && h.still(first.Node, e.At) }) {
			excused++
			continue
		}
		wrong = append(wrong, fmt.Sprintf("twice: task %d began on %s while another copy ran: %v", e.Task, e.Node, events))
	}
	return excused, wrong
}

// still tells whether a node stood still at some time, or had done so a moment before.
func (h *History) still(node string, at time.Time) bool {
	return slices.ContainsFunc(h.Pauses, func(p Pause) bool { return p.Node == node && !at.Before(p.Begin) && at.Before(p.End.Add(Grace)) })
}

// String is the history, a line per task that did not simply begin and end once.
func (h *History) String() string {
	by := make(map[int][]string)
	for _, e := range h.Events {
		by[e.Task] = append(by[e.Task], fmt.Sprintf("%s %s %s", e.At.Format("05.000"), e.What, e.Node))
	}
	var b strings.Builder
	for task := range slices.Max(append(h.Logged, 0)) + 1 {
		if len(by[task]) > 2 {
			fmt.Fprintf(&b, "  task %d: %s\n", task, strings.Join(by[task], "; "))
		}
	}
	return b.String()
}
