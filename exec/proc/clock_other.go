//go:build !linux

package proc

import "time"

var started = time.Now()

// Clock is the time since this process started. On macOS and Windows it stands still while the machine
// sleeps: a node that wakes up takes its leases to be as young as before, until the first heartbeat is
// answered or refused.
func Clock() time.Duration { return time.Since(started) }
