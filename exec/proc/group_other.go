//go:build !linux

package proc

// groupLives cannot tell zombies apart here.
func groupLives(int) bool { return true }
