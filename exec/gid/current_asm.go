//go:build amd64 || arm64

package gid

// Current identifies the calling goroutine among those that live; it is not 0. It is
// safe for concurrent use.
func Current() uintptr
