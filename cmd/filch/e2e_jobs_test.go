//go:build unix

package main

import (
	"encoding/json"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/filchsched/filch/node/control"
)

// jobVerb runs a verb against the node; its flags come before the words of a command.
func (p *upProcess) jobVerb(t *testing.T, verb string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	return finish(t, withoutNodeEnv(filch(t, append([]string{verb, "--socket", p.socket}, args...)...)))
}

// TestJobsOnANode: a job is left, waited for, listed, explained from another node, and
// cancelled.
func TestJobsOnANode(t *testing.T) {
	base := t.TempDir()
	one := startUp(t, filepath.Join(base, "a"), "", "--listen", "127.0.0.1:0", "--name", "one", "--workers", "1")
	two := startUp(t, filepath.Join(base, "b"), one.join, "--listen", "127.0.0.1:0", "--name", "two", "--join-file", "-")
	two.until(t, "both are there", func(m map[string]control.Member) bool {
		alive := 0
		for _, x := range m {
			if x.State == control.StateAlive && x.Name != "" {
				alive++
			}
		}
		return alive == 2
	})
	out, errs, code := one.jobVerb(t, "submit", "--name", "sums", "--", "echo {}; exit {}", ":::", "0", "3", "0")
	id := strings.TrimSpace(out)
	if code != 0 || !regexp.MustCompile(`^12D3\w+/1\.1$`).MatchString(id) {
		t.Fatalf("submit: exit %d: %q %s", code, out, errs)
	}
	if out, errs, code := one.jobVerb(t, "wait", id); code != 1 || out != "" || !strings.Contains(errs, "of 3 tasks 2 are done, 1 failed") {
		t.Errorf("wait: exit %d: %s%s", code, out, errs)
	}
	for _, c := range []struct {
		on   *upProcess
		args string
		says string
	}{
		{one, "jobs", `(?m)^1\.1 +sums +failed +3 +2 +1 +0 `},
		{one, "jobs 1.1", `(?m)^1\.1/1 +failed +3 +one +\S+ +echo 3; exit 3`},
		{one, "jobs 1.1 --task 1", `^3\n$`},
		{one, "explain 1.1/1", `(?m)^ended  on one, exit 3, (?s:.*)^  now committed$`},
		{two, "explain one/1.1/1", `(?m)^home   one$(?s:.*)^node   one: `},
		{one, "steals", `nothing was stolen\n$`},
	} {
		args := strings.Fields(c.args)
		if out, errs, code := c.on.jobVerb(t, args[0], args[1:]...); code != 0 || !regexp.MustCompile(c.says).MatchString(out) {
			t.Errorf("%s: exit %d: %s%s, want %s", c.args, code, out, errs, c.says)
		}
	}
	var d control.JobDetail
	if out, _, _ := one.jobVerb(t, "jobs", "-o", "json", id); json.Unmarshal([]byte(out), &d) != nil || len(d.Page) != 3 || *d.Page[1].Exit != 3 || d.ID != id {
		t.Errorf("jobs as JSON: %s", out)
	}
	if out, errs, code := one.jobVerb(t, "wait", "--timeout", "0", id); code != 1 || !strings.Contains(errs, "of 3 tasks 2 are done, 1 failed") {
		t.Errorf("wait for no time for what has ended: exit %d: %s%s", code, out, errs)
	}
	out, _, _ = one.jobVerb(t, "submit", "--", "sleep", "600")
	for _, patience := range []string{"0", "0.2"} {
		out, errs, code := one.jobVerb(t, "wait", "--timeout", patience, strings.TrimSpace(out))
		if code != 124 || !strings.Contains(errs, "was not enough: of 1 tasks 0 are done") {
			t.Errorf("wait: exit %d: %s%s", code, out, errs)
		}
	}
	if out, errs, code := one.jobVerb(t, "cancel", strings.TrimSpace(out)); code != 0 || out != "stopped\n" {
		t.Errorf("cancel: exit %d: %s%s", code, out, errs)
	}
	for args, says := range map[string]string{
		"wait 1.9":                     "there is no job",
		"wait one":                     `"one" is no job: a job is called NODE/START.NUMBER`,
		"jobs two/1.1":                 "is another node's: ask two",
		"explain 1.1":                  `is called JOB/INDEX`,
		"explain 1.1/3":                "has tasks 0 to 2, and no 3",
		"explain nobody/1.1/0":         `no node is called "nobody"`,
		"submit":                       "give a command",
		"submit --on nobody -- true":   `no node is called "nobody"`,
		"submit --require gpu -- true": "is not KEY=VALUE",
		"submit --env A=b -- true":     "--env is for --anywhere",
		"submit --retries 0 -- true":   "is not between 1 and 256",
		"submit -- echo {%} ::: 1":     "there are no slots",
		"submit --anywher -- true":     "did you mean --anywhere?",
		"cancel --timeout soon 1.1":    "--timeout",
	} {
		words := strings.Fields(args)
		if out, errs, code := one.jobVerb(t, words[0], words[1:]...); code != 255 || out != "" || !strings.Contains(errs, says) {
			t.Errorf("%s: exit %d: %s%s, want %s", args, code, out, errs, says)
		}
	}
}
