//go:build !linux

package proc

// starters returns every starter of this system.
func starters() []namedStarter { return []namedStarter{{"portable", portableStarter{}}} }
