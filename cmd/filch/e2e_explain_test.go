//go:build unix

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/filchsched/filch/node/control"
)

// TestATaskOfARunIsExplainedFromAnyNode: while the run lives and after its end, every attempt with what was expected of
// it; and "filch steals" and "filch jobs --runs" call the run by the name and the command that its user gave it.
func TestATaskOfARunIsExplainedFromAnyNode(t *testing.T) {
	nodes := startCluster(t, 3)
	dir := t.TempDir()
	const line = `touch began.{}; until test -e go; do sleep 0.02; done; exit {}`
	run := nodes[0].filchRun(t, dir, "--job", "sums", "-j1", line, ":::", "0", "1", "2", "3", "4", "5")
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	explain := func(p *upProcess, task string) (e control.Explanation, text string) {
		t.Helper()
		out, errs, code := p.jobVerb(t, "explain", "-o", "json", task)
		if err := json.Unmarshal([]byte(out), &e); err != nil || code != 0 {
			t.Fatalf("explain %s: exit %d: %v %s%s", task, code, err, out, errs)
		}
		text, _, _ = p.jobVerb(t, "explain", task)
		return e, text
	}
	eventually(t, "three run", func() bool { began, _ := filepath.Glob(filepath.Join(dir, "began.*")); return len(began) == 3 })
	began, _ := filepath.Glob(filepath.Join(dir, "began.*"))
	index := began[2][len(began[2])-1:]
	var id string
	for _, task := range []string{"sums/" + index, "n0/sums/" + index} {
		for _, p := range nodes {
			e, text := explain(p, task)
			if id = e.Run.ID; e.Home != "n0" || e.Run.Name != "sums" || e.Run.Node != "n0" || e.Run.Runs != line || e.Run.Ended != nil || e.State != control.TaskWaiting ||
				!strings.HasPrefix(e.Runs, "touch began."+index) || len(e.Accounts) == 0 || !e.Accounts[0].Home || len(e.Accounts[0].Holders) != 1 {
				t.Errorf("while it runs: %+v", e)
			}
			if !regexp.MustCompile(`attempt \d+ granted to n0 (?s:.*)held by n0 as attempt`).MatchString(text) {
				t.Errorf("while it runs: %s", text)
			}
		}
	}
	if _, errs, code := nodes[1].jobVerb(t, "explain", "sums/6"); code == 0 || !strings.Contains(errs, "has tasks 0 to 5 so far, and no 6") {
		t.Errorf("a task that there is not: exit %d: %s", code, errs)
	}
	if err := os.WriteFile(filepath.Join(dir, "go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if run.Wait(); run.ProcessState.ExitCode() != 5 {
		t.Errorf("exit %d", run.ProcessState.ExitCode())
	}
	elsewhere := 0
	for _, i := range []string{"0", "1", "2", "3", "4", "5"} {
		e, text := explain(nodes[2], id[:12]+"/"+i)
		want := control.TaskFailed
		if i == "0" {
			want = control.TaskDone
		}
		if e.Run.Ended == nil || e.State != want {
			t.Errorf("task %s, after the end: %+v", i, e)
		}
		lent := -1
		for _, a := range e.Accounts {
			if a.By == "n0" && !a.Home {
				lent = slices.IndexFunc(a.Events, func(x control.Incident) bool { return x.What == "lent on to" })
				if lent >= 0 {
					elsewhere++
					if x := a.Events[lent]; (x.Node != "n1" && x.Node != "n2") || x.Estimates == nil || !slices.Contains([]string{"host", "rack", "zone", "remote"}, x.Estimates.Level) || x.Estimates.Transfer <= 0 || x.Estimates.Run <= 0 || x.Estimates.Return <= 0 {
						t.Errorf("%+v", x)
					}
				}
			}
		}
		if lent >= 0 && !regexp.MustCompile(`as n0 tells:\n .* lent on to n[12].*expected: here in .*, there in .* \(queue .*, transfer .*\), run .*, return .*; level \w+, load data .* old`).MatchString(text) {
			t.Errorf("task %s: %s", i, text)
		}
	}
	if elsewhere == 0 {
		t.Error("nothing was lent on")
	}
	for p, says := range map[*upProcess]string{
		nodes[0]: `(?m)^host +n[12] +n0 +n0 +sums +touch began\.`, nodes[1]: `(?m)^host +n1 +n[02] .* sums +exec touch `,
	} {
		if out, _, _ := p.jobVerb(t, "steals"); !regexp.MustCompile(says).MatchString(out) {
			t.Errorf("steals: %s, want %s", out, says)
		}
	}
	if out, _, _ := nodes[0].jobVerb(t, "jobs", "--runs"); !regexp.MustCompile(`(?m)^run-\w{8} +sums +ended .* touch began`).MatchString(out) {
		t.Errorf("jobs --runs: %s", out)
	}
	if _, errs, code := nodes[1].jobVerb(t, "explain", "nothing/0"); code != 255 || !strings.Contains(errs, `no run is called "nothing"`) {
		t.Errorf("explain nothing/0: exit %d: %s", code, errs)
	}
}

// TestARunThatIsKilledLeavesWhatItsNodeKnows, and no more.
func TestARunThatIsKilledLeavesWhatItsNodeKnows(t *testing.T) {
	nodes := startCluster(t, 2)
	dir := t.TempDir()
	run := nodes[0].filchRun(t, dir, "--on", "n1", "touch began.{}; sleep 600", ":::", "0")
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it runs", func() bool { began, _ := filepath.Glob(filepath.Join(dir, "began.*")); return len(began) == 1 })
	run.Process.Kill()
	run.Wait()
	eventually(t, "its node knows", func() bool {
		out, _, _ := nodes[0].jobVerb(t, "jobs", "--runs")
		return strings.Contains(out, "ended")
	})
	out, errs, code := nodes[1].jobVerb(t, "explain", "run/0")
	if code != 0 || !regexp.MustCompile(`state  unknown(?s:.*)lent on to n1`).MatchString(out) {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
}
