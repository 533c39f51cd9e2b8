//go:build unix && !linux

package main

import "golang.org/x/sys/unix"

// setNice gives this process the nice value n, which its commands inherit.
func setNice(n int) error { return unix.Setpriority(unix.PRIO_PROCESS, 0, n) }
