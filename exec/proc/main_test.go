//go:build unix

package proc

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// asVictim in the environment makes the test binary a program that runs commands,
// for tests to kill.
const asVictim = "FILCH_TEST_AS_VICTIM"

// victimMemory is what a victim grants each command, bytes.
const victimMemory = "FILCH_TEST_VICTIM_MEMORY"

// victimLeash is how long the leash of a victim's commands is, counted from its start.
const victimLeash = "FILCH_TEST_VICTIM_LEASH"

func TestMain(m *testing.M) {
	Supervise()
	if os.Getenv(asVictim) != "" {
		os.Unsetenv(asVictim)
		os.Exit(victim(os.Args[1:]))
	}
	goleak.VerifyTestMain(m)
}
