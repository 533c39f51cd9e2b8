//go:build unix

package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// defaultWidth is that of a terminal which does not tell.
const defaultWidth = 80

// terminalWidth is how many columns f has.
func terminalWidth(f *os.File) int {
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil || size.Col == 0 {
		return defaultWidth
	}
	return int(size.Col)
}
