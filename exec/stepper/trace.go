package stepper

import (
	"fmt"
	"strconv"
	"strings"
)

// A Failure is a run that failed.
type Failure struct {
	Reason   string
	Schedule string   // repeats the run, as Options.Schedule
	Trace    []string // one line per step and plain access
	Stats    Stats    // of the exploration up to and with this run
}

func (f *Failure) Error() string {
	return fmt.Sprintf("%s\nin interleaving %d, schedule %s:\n  %s", f.Reason, f.Stats.Runs, f.Schedule, strings.Join(f.Trace, "\n  "))
}

// explain makes the error for the run that has failed. It repeats the run to
// get the trace, so that the other runs need not write one.
func (x *explorer) explain() *Failure {
	f := &Failure{Stats: x.stats}
	x.path = x.path[:x.now]
	x.fixed = make([]int, len(x.path))
	for i, p := range x.path {
		x.fixed[i] = p.chosen
	}
	f.Schedule = formatSchedule(x.fixed)
	if !x.tracing {
		x.tracing = true
		x.do()
	}
	f.Reason, f.Trace = x.failure, x.trace // both with the same names
	return f
}

// tracing reports whether t should call note.
func (t *thread) tracing() bool { return t != nil && t.x.tracing }

// note adds a line to the trace, for what t did to v.
func (t *thread) note(v *variable, format string, args ...any) {
	x := t.x
	if !x.tracing || x.unwinding {
		return
	}
	x.trace = append(x.trace, fmt.Sprintf("%3d  %-10s %s.%s", x.now, t.name, x.nameOf(v), fmt.Sprintf(format, args...)))
}

// nameOf returns the name of a variable, and gives it one if it has none.
func (x *explorer) nameOf(v *variable) string {
	if v.name == "" {
		x.unnamed++
		v.name = fmt.Sprintf("variable%d", x.unnamed)
	}
	return v.name
}

// pointer returns what traces show for a pointer: what its String method says,
// or a number that stays the same within the trace.
func (x *explorer) pointer(p any) string {
	if s, ok := p.(fmt.Stringer); ok {
		if text := fmt.Sprint(s); text != "" {
			return text
		}
	}
	if fmt.Sprintf("%p", p) == "%!p(<nil>)" || fmt.Sprintf("%p", p) == "0x0" {
		return "nil"
	}
	for i, q := range x.known {
		if p == q {
			return "&" + strconv.Itoa(i+1)
		}
	}
	x.known = append(x.known, p)
	return "&" + strconv.Itoa(len(x.known))
}

// describe says what an operation would do, for threads that wait.
func (x *explorer) describe(o *operation) string {
	verb := "use"
	switch o.kind {
	case lock:
		verb = "lock"
	case send:
		verb = "send"
	case receive:
		verb = "receive"
	case await:
		verb = "see a change of"
	}
	return verb + " " + x.nameOf(o.on)
}

func deadlock(stuck []string) string {
	return "deadlock, or a lost wake-up: " + strings.Join(stuck, ", ")
}

// A schedule is written as a letter per thread, in the order in which they
// were added, each followed by its number of steps in a row if that is not
// one: "a3ba2".

func formatSchedule(steps []int) string {
	var b strings.Builder
	for i := 0; i < len(steps); {
		n := 1
		for i+n < len(steps) && steps[i+n] == steps[i] {
			n++
		}
		b.WriteByte(byte('a' + steps[i]))
		if n > 1 {
			b.WriteString(strconv.Itoa(n))
		}
		i += n
	}
	return b.String()
}

func parseSchedule(s string) (steps []int, err error) {
	for i := 0; i < len(s); {
		id := int(s[i]) - 'a'
		if id < 0 || id >= MaxThreads {
			return nil, fmt.Errorf("stepper: schedule %q: %q is no thread; they are a to %c", s, s[i], 'a'+MaxThreads-1)
		}
		end := i + 1
		for end < len(s) && s[end] >= '0' && s[end] <= '9' {
			end++
		}
		n := 1
		if end > i+1 {
			if n, err = strconv.Atoi(s[i+1 : end]); err != nil || n > maxScheduled-len(steps) {
				return nil, fmt.Errorf("stepper: schedule %q: %s is no number of steps; at most %d in all", s, s[i+1:end], maxScheduled)
			}
		}
		for range n {
			steps = append(steps, id)
		}
		i = end
	}
	return steps, nil
}

// maxScheduled bounds the steps of a schedule that is read.
const maxScheduled = 1 << 16
