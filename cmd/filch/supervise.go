package main

import "github.com/filchsched/filch/exec/proc"

// filch starts itself once more, to be the supervisor of the commands: see package proc. That it
// was started for this must be known before anything else happens, in a test binary too.
func init() { proc.Supervise() }
