package proc

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// TestLeashHoldsWhileFilchIsFrozen: filch is stopped, and its commands end when their leash is over.
func TestLeashHoldsWhileFilchIsFrozen(t *testing.T) {
	os.Setenv(victimLeash, "1s")
	defer os.Unsetenv(victimLeash)
	v := startVictim(t, map[string]string{
		"plain":        escapes["plain"],
		"child":        escapes["child"],
		"ignores TERM": escapes["ignores TERM"],
		"stopped":      escapes["stopped"],
		"setsid":       escapes["setsid"],
	})
	v.kill(v.cmd.Process.Pid, unix.SIGSTOP)
	v.expectGone()
	v.kill(v.cmd.Process.Pid, unix.SIGCONT)
}
