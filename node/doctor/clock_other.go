//go:build !linux

package doctor

import "time"

// readClock cannot tell here whether anybody keeps the clock.
func readClock(now time.Time) clockFacts { return clockFacts{now: now} }
