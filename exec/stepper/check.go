package stepper

import "os"

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
		t.Fatalf("%v\nTo repeat this run alone: %s=… go test -run '^%s$' with the schedule above.", err, ScheduleVariable, t.Name())
	}
	if o.Schedule != "" {
		t.Logf("the run of schedule %s does not fail", o.Schedule)
	}
	return stats
}
