package main

import (
	"os"
	"syscall"
)

// peakMemory is the resident memory of an ended process at its highest, bytes.
func peakMemory(p *os.ProcessState) int64 {
	usage, ok := p.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	return usage.Maxrss << 10
}
