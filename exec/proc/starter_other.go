//go:build !linux

package proc

func newStarter([]string) starter { return portableStarter{} }
