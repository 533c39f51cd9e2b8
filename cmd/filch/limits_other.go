//go:build !unix

package main

// mostJobs is the largest number of commands that may run at once.
func mostJobs() int { return 256 }
