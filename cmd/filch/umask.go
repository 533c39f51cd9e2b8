package main

import (
	"os"
	"strconv"
	"strings"
)

// ownUmask is this process's umask; -1 where it cannot be had without changing it for a moment.
func ownUmask() int {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return -1
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "Umask:"); ok {
			if n, err := strconv.ParseUint(strings.TrimSpace(rest), 8, 16); err == nil {
				return int(n)
			}
		}
	}
	return -1
}
