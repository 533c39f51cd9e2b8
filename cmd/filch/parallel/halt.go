package parallel

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// A HaltRule says when a run ends before its inputs do: as soon as so many tasks, or
// such a share of them, have failed, succeeded or ended. The zero value is never.
type HaltRule struct {
	Now     bool // end the tasks that run, too; else only start no more
	Why     Why
	Count   int64   // tasks; 0: Percent decides
	Percent float64 // of all tasks
}

// Why is what a HaltRule counts.
type Why uint8

// What can be counted.
const (
	Never Why = iota
	OnFail
	OnSuccess
	OnDone
)

var whys = map[string]Why{"fail": OnFail, "success": OnSuccess, "done": OnDone}

// oldHalts are the forms of before 2015, which scripts still use.
var oldHalts = map[string]string{"0": "never", "1": "soon,fail=1", "2": "now,fail=1", "-1": "soon,success=1", "-2": "now,success=1"}

// ErrHalt says what --halt takes.
var ErrHalt = errors.New("give never, or WHEN,WHY=N or WHEN,WHY=N%, where WHEN is now or soon and WHY is fail, success or done: for example now,fail=1")

// ParseHalt reads the argument of --halt.
func ParseHalt(s string) (HaltRule, error) {
	if now, ok := oldHalts[s]; ok {
		s = now
	} else if n, ok := strings.CutSuffix(s, "%"); ok && !strings.Contains(n, ",") {
		s = "soon,fail=" + s
	}
	if s == "never" {
		return HaltRule{}, nil
	}
	when, rest, _ := strings.Cut(s, ",")
	word, number, ok := strings.Cut(rest, "=")
	r := HaltRule{Now: when == "now", Why: whys[word]}
	if !ok || r.Why == Never || when != "now" && when != "soon" {
		return HaltRule{}, fmt.Errorf("%q: %w", s, ErrHalt)
	}
	if digits, percent := strings.CutSuffix(number, "%"); percent {
		n, err := strconv.ParseFloat(digits, 64)
		if err != nil || !(n > 0 && n <= 100) {
			return HaltRule{}, fmt.Errorf("%q: the percentage must be above 0 and at most 100", s)
		}
		r.Percent = n
		return r, nil
	}
	n, err := strconv.ParseUint(number, 10, 63)
	if err != nil || n == 0 {
		return HaltRule{}, fmt.Errorf("%q: the number of tasks must be 1 or more", s)
	}
	r.Count = int64(n)
	return r, nil
}

// A Halter applies a HaltRule to a run. It is not safe for concurrent use.
type Halter struct {
	rule   HaltRule
	done   int64
	failed int64
	total  int64 // 0 until it is known
	halted bool
	exit   int
}

// NewHalter makes a Halter.
func NewHalter(r HaltRule) *Halter { return &Halter{rule: r} }

// Ended counts a task and reports whether the run halts now, which it does once.
// exit is the task's own exit code, 128+n after signal n; 0 is success.
func (h *Halter) Ended(exit int) bool {
	h.done++
	if exit != 0 {
		h.failed++
	}
	return h.look(exit)
}

// Total tells how many tasks there are: a percentage means nothing before. It
// reports whether the run halts now.
func (h *Halter) Total(n int64) bool {
	h.total = n
	return h.look(1)
}

func (h *Halter) look(exit int) bool {
	if h.halted || h.rule.Why == Never {
		return false
	}
	counted := map[Why]int64{OnFail: h.failed, OnSuccess: h.done - h.failed, OnDone: h.done}[h.rule.Why]
	switch {
	case h.rule.Count > 0:
		h.halted = counted >= h.rule.Count
	case h.total > 0:
		h.halted = counted > 0 && float64(counted) >= float64(h.total)*h.rule.Percent/100
	}
	if h.halted {
		h.exit = h.exitCode(exit)
	}
	return h.halted
}

// exitCode is parallel's: that of the one task that mattered; else the percentage
// or number that failed; 0 if the run was after successes.
func (h *Halter) exitCode(exit int) int {
	switch {
	case h.rule.Why == OnSuccess:
		return 0
	case h.rule.Percent > 0:
		return percentOf(h.failed, h.total)
	case h.rule.Count == 1:
		return exit
	}
	return ExitCode(h.failed)
}

// percentOf is the share of all tasks that n are, rounded up.
func percentOf(n, all int64) int { return int(math.Ceil(float64(n) / float64(max(all, 1)) * 100)) }

// AtEnd is the exit code of a run that came to the end of its inputs without
// halting, when failed tasks failed: under a rule in percent it is a percentage all the
// same, as with parallel.
func (h *Halter) AtEnd(failed int64) int {
	if h.rule.Percent > 0 {
		return percentOf(failed, h.total)
	}
	return ExitCode(failed)
}

// Halted reports whether the run has halted, and the exit code for it.
func (h *Halter) Halted() (exit int, ok bool) { return h.exit, h.halted }
