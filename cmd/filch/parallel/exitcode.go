package parallel

// Exit codes of a run.
const (
	// MaxFailures is the largest number of failed tasks that an exit code tells;
	// MaxFailures+1 means more.
	MaxFailures = 100
	// ExitError is any error that is not a task's.
	ExitError = 255
)

// ExitCode is the exit code of a run of which so many tasks failed.
func ExitCode(failed int64) int {
	return int(min(failed, MaxFailures+1))
}
