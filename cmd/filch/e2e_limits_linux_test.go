package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// tooLarge takes 300 MB and keeps it.
const tooLarge = `(head -c 300000000 /dev/zero; sleep 1000) | tail >/dev/null`

// becomeNobody makes cmd run as a user without the right to make cgroups.
func becomeNobody(t *testing.T, cmd *exec.Cmd) {
	if os.Getuid() != 0 {
		t.Skip("only root can become somebody without rights")
	}
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	// Nobody may not be allowed to reach the program by its path, but we are.
	self, err := os.Open(cmd.Path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { self.Close() })
	cmd.ExtraFiles = []*os.File{self}
	cmd.Path = "/proc/self/fd/3"
}

// A command over its memory is ended, with the rights to make cgroups and without, and record and
// log tell so. Without them, that is said first, once.
func TestOutOfMemory(t *testing.T) {
	for _, rights := range []bool{true, false} {
		cmd := filch(t, "run", "-o", "json", "-j2", "--mem", "64M", "--cores", "1", "--joblog", "/dev/fd/4", "{}", ":::", tooLarge, "exit 3")
		if rights {
			cmd.ExtraFiles = []*os.File{os.Stdin} // number 3 is taken in the other case
		} else {
			becomeNobody(t, cmd)
		}
		path := filepath.Join(t.TempDir(), "log")
		log, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		defer log.Close()
		log.Chmod(0o666)
		os.Chmod(filepath.Dir(path), 0o755)
		cmd.ExtraFiles = append(cmd.ExtraFiles, log)
		out, errs, code := finish(t, cmd)
		if code != 2 {
			t.Errorf("exit code %d: %s", code, errs)
		}
		states := map[string]string{}
		for line := range strings.Lines(out) {
			var r struct {
				State, Reason, Command string
				Max                    int64 `json:"max_memory_bytes"`
			}
			if err := json.Unmarshal([]byte(line), &r); err != nil {
				t.Errorf("%v: %s", err, line)
			}
			states[r.Command] = r.State
			if r.State == "out_of_memory" && (r.Max < 48<<20 || !strings.Contains(r.Reason, "64 MiB")) {
				t.Errorf("%+v", r)
			}
		}
		if states[tooLarge] != "out_of_memory" || states["exit 3"] != "failed" {
			t.Errorf("%q", out)
		}
		text, _ := os.ReadFile(path)
		if !regexp.MustCompile(`(?m)^1\t.*\t0\t9\t\(head`).Match(text) || !regexp.MustCompile(`(?m)^2\t.*\t3\t0\texit 3$`).Match(text) {
			t.Errorf("the log: %s", text)
		}
		const notice = `(?s)^filch: --mem is looked at ten times a second: no cgroup: .*\nfilch: --cores is told to commands, but not enforced: no cgroup: [^\n]*\n$`
		switch said := regexp.MustCompile(notice).MatchString(errs); {
		case rights && strings.Contains(errs, "no cgroup"):
			t.Log("no cgroups here: ", errs)
		case said == rights:
			t.Errorf("with rights: %v, and said %q", rights, errs)
		}
	}
}

// Nobody is told of limits that they did not ask for, or want to be quiet about.
func TestLimitNoticesAreAskedFor(t *testing.T) {
	for _, args := range [][]string{{"true", ":::", "a"}, {"--quiet", "--mem", "64M", "true", ":::", "a"}} {
		cmd := filch(t, append([]string{"run"}, args...)...)
		becomeNobody(t, cmd)
		if _, errs, code := finish(t, cmd); errs != "" || code != 0 {
			t.Errorf("%q: %q, %d", args, errs, code)
		}
	}
}

// Without /proc filch cannot start its supervisor, and says so: nothing runs without one.
func TestWithoutProc(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can hide /proc")
	}
	self := filch(t)
	cmd := exec.CommandContext(t.Context(), "unshare", "-m", "sh", "-c", `mount -t tmpfs none /proc && exec "$0" exec echo ran`, self.Path)
	cmd.Env = self.Env
	out, errs, code := finish(t, cmd)
	if strings.Contains(errs, "unshare failed") || strings.Contains(errs, "mount:") {
		t.Skip(errs)
	}
	if out != "" || code != 125 || !strings.Contains(errs, "is /proc mounted?") {
		t.Errorf("got %q, %q, exit code %d", out, errs, code)
	}
}
