//go:build unix

package main

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/filchsched/filch/node/control"
)

// A job that no node could take is refused, and one that nobody can take any more says so.
func TestAJobThatFitsNobodyDoesNotWaitForEver(t *testing.T) {
	if testing.Short() {
		t.Skip("real nodes take seconds")
	}
	base := t.TempDir()
	up := func(name string, args ...string) *upProcess {
		return startUp(t, filepath.Join(base, name), "", append([]string{"--listen", "127.0.0.1:0", "--no-mdns", "--name", name, "--workers", "1"}, args...)...)
	}
	home := up("home", "--accept", "exec")
	join := home.joinFile(t)
	up("closed", "--join-file", join)
	gpu := up("gpu", "--join-file", join, "--accept", "exec", "--label", "gpu=yes", "--drain-timeout", "1s")
	home.until(t, "all know all", func(m map[string]control.Member) bool { return count(m, control.StateAlive) == 3 })
	dir := t.TempDir()
	for _, c := range []struct {
		flags []string
		says  string
	}{
		{[]string{"--on", "closed"}, "no node can take this job: 2 are not among those that are named, closed does not accept commands: have one accept them with filch up --accept exec"},
		{[]string{"--require", "gpu=no"}, "2 lack the label gpu=no, closed does not accept commands: have one"},
		{[]string{"--require", "gpu=yes", "--avoid", "gpu"}, "closed does not accept commands, home lacks the label gpu=yes, gpu is avoided: have one"},
		{[]string{"--cores", "1000"}, "2 have fewer cores than 1000, closed does not accept commands"},
		{[]string{"--mem", "1000000G"}, "2 have less memory than 1024000000 MiB, closed does not accept commands"},
	} {
		for _, verb := range []string{"run", "submit"} {
			cmd := withoutNodeEnv(filch(t, append(append([]string{verb, "--socket", home.socket}, c.flags...), "echo", ":::", "1")...))
			cmd.Dir = dir
			out, errs, code := finish(t, cmd)
			if code != 255 || out != "" || !strings.Contains(errs, c.says) {
				t.Errorf("%s %q: exit %d, want 255 and …%s\n%s%s", verb, c.flags, code, c.says, out, errs)
			}
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".filch*")); len(left) > 0 {
		t.Errorf("%q is left", left)
	}

	pids := t.TempDir()
	run := home.filchRun(t, dir, "--job", "sums", "--require", "gpu=yes", "echo $$ > "+pids+"/pid.{}; exec sleep 1000", ":::", "1", "2")
	_, said := begin(t, run)
	running := pidsIn(t, pids, 1)
	job, errs, code := finish(t, withoutNodeEnv(filch(t, "submit", "--socket", home.socket, "--anywhere", "--require", "gpu=yes", "--", "echo", "late")))
	if code != 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	gpu.Process.Signal(syscall.SIGTERM)
	gpu.waited()
	allGone(t, running)
	const why = "no node can take this job: closed does not accept commands, home lacks the label gpu=yes: have one"
	for give := time.Now().Add(deadline / 2); !strings.Contains(said.String(), "filch: commands wait: "+why) && time.Now().Before(give); {
		time.Sleep(10 * time.Millisecond)
	}
	if strings.Count(said.String(), "commands wait") != 1 {
		t.Errorf("it says %s", said)
	}
	for _, task := range []string{strings.TrimSpace(job) + "/0", "sums/1"} {
		if out, errs, _ := home.jobVerb(t, "explain", task); !strings.Contains(out, "waits: "+why) {
			t.Errorf("explain %s says %s%s", task, out, errs)
		}
	}
	run.Process.Signal(syscall.SIGINT)
	run.Wait()
	if code := run.ProcessState.ExitCode(); code != 130 {
		t.Errorf("exit %d: %s", code, said)
	}
}
