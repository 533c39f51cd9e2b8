//go:build unix

package main

import "syscall"

// umask is this process's; nobody else changes it meanwhile.
func umask() *int {
	mask := syscall.Umask(0)
	syscall.Umask(mask)
	return &mask
}
