//go:build !linux

package proc

// Supervise lets this program supervise the commands that it runs. There is no supervisor
// on this system, and it does nothing.
func Supervise() {}
