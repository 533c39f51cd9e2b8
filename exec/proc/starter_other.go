//go:build !linux

package proc

func newStarter() starter { return portableStarter{} }
