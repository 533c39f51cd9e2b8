//go:build unix

package main

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/filchsched/filch/node/control"
)

// TestDecideTellsWhereAndWhy: exit 0 with a node and a line for each, 1 if no node may run it, 255 if the question is wrong.
func TestDecideTellsWhereAndWhy(t *testing.T) {
	nodes := startCluster(t, 2)
	out, errs, code := nodes[0].jobVerb(t, "decide", "--", "sleep", "1")
	if says := `(?m)^sleep: .*(here, )?on n[01]: .*% sure\)$\nNODE +TOTAL +QUEUE(?s:.*)^n[01] +\S+/\S+ `; code != 0 || !regexp.MustCompile(says).MatchString(out) {
		t.Errorf("exit %d: %s%s, want %s", code, out, errs, says)
	}
	var d control.Decision
	out, errs, code = nodes[0].jobVerb(t, "decide", "-o", "json", "--avoid", "n0", "--in", "10M", "--", "sleep", "1")
	if err := json.Unmarshal([]byte(out), &d); err != nil || code != 0 || d.Node != "n1" || d.Local || d.InBytes != 10<<20 && d.InBytes != 10e6 || len(d.Candidates) != 2 {
		t.Errorf("exit %d, %v: %s%s", code, err, out, errs)
	} else if c := d.Candidates; c[0].Total.P90Seconds < c[0].Total.P50Seconds || c[0].Total.P50Seconds < c[0].Transfer.P50Seconds || c[1].Rejected != "to be avoided" {
		t.Errorf("%+v", c)
	}
	for args, says := range map[string]string{
		"--zone nowhere -- true":       "outside of the zones",
		"--require gpu=yes -- true":    "lacks a label",
		"--function f@v1":              "no such function registered",
		"--local --avoid n0 -- true":   "the task stays here",
		"--deadline 0.000001s -- true": "",
	} {
		words := append([]string{"-o", "json"}, strings.Fields(args)...)
		out, errs, code := nodes[0].jobVerb(t, "decide", words...)
		want := 1
		if says == "" {
			want = 0 // the soonest, late as it is
		}
		if code != want || !strings.Contains(out, says) {
			t.Errorf("%s: exit %d: %s%s, want %s", args, code, out, errs, says)
		}
	}
	for args, says := range map[string]string{
		"":                      "give a command",
		"--function f -- true":  "not both",
		"--on nobody -- true":   `no node is called "nobody"`,
		"--energy -1 -- true":   "energy",
		"--in much -- true":     "--in",
		"--require gpu -- true": "is not KEY=VALUE",
	} {
		if out, errs, code := nodes[0].jobVerb(t, "decide", strings.Fields(args)...); code != 255 || out != "" || !strings.Contains(errs, says) {
			t.Errorf("%s: exit %d: %s%s, want %s", args, code, out, errs, says)
		}
	}
}
