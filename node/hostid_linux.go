package node

import (
	"os"
	"strings"
)

// machineAndBoot returns what Linux calls this machine and this boot of it; "" where it
// does not say. The boot ID is the kernel's own, so containers see their host's.
func machineAndBoot() (machine, boot string) {
	for _, path := range []string{"/etc/machine-id", "/var/lib/dbus/machine-id"} {
		if machine = oneLine(path); machine != "" {
			break
		}
	}
	return machine, oneLine("/proc/sys/kernel/random/boot_id")
}

func oneLine(path string) string {
	text, err := os.ReadFile(path)
	// systemd writes "uninitialized" into images that have not booted yet.
	if line := strings.TrimSpace(string(text)); err == nil && line != "uninitialized" {
		return line
	}
	return ""
}
