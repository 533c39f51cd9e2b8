//go:build !unix

package exec

import "time"

// processCPUTime is not known here, so no substitutes are added.
func processCPUTime() (time.Duration, bool) { return 0, false }
