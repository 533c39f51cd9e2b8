//go:build !linux

package node

// machineAndBoot is unknown here; levels then come from labels and round trips.
func machineAndBoot() (machine, boot string) { return "", "" }
