//go:build !linux

package proc

import "time"

var started = time.Now()

// Clock is the time since this process started.
func Clock() time.Duration { return time.Since(started) }
