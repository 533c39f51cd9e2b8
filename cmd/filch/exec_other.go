//go:build !linux

package main

import "os/exec"

// diesWithUs would make the kernel kill the command when we are killed.
func diesWithUs(*exec.Cmd) {}
