package stepper

import (
	"os"
	"regexp"
	"strings"
)

// ScheduleVariable names the environment variable by which Check repeats a
// single run.
const ScheduleVariable = "STEPPER_SCHEDULE"

// TB is what Check uses of a testing.TB.
type TB interface {
	Helper()
	Name() string
	Logf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// Check explores the program and fails the test with a trace if a run fails. With
// STEPPER_SCHEDULE set to the schedule of a failure it does that run only, and
// shows its trace whether it fails or not.
func Check(t TB, o Options, program Program) Stats {
	t.Helper()
	if s := os.Getenv(ScheduleVariable); s != "" {
		o.Schedule = s
	}
	stats, err := Explore(o, program)
	if err != nil {
		t.Fatalf("%v\nTo repeat this run alone set %s to its schedule, with go test -run '%s'.", err, ScheduleVariable, onlyTest(t.Name()))
	}
	if o.Schedule != "" {
		t.Logf("the run of schedule %s does not fail", o.Schedule)
	}
	return stats
}

// onlyTest returns the pattern that matches the test of that name and no other.
func onlyTest(name string) string {
	parts := strings.Split(name, "/")
	for i, p := range parts {
		parts[i] = "^" + regexp.QuoteMeta(p) + "$"
	}
	return strings.Join(parts, "/")
}
