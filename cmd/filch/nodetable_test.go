package main

import (
	"strings"
	"testing"

	"github.com/filchsched/filch/node/control"
)

// TestNodeTableOfHostileNames: whatever a member calls itself, its line stays one line of
// what can be seen, and does not steer the terminal.
func TestNodeTableOfHostileNames(t *testing.T) {
	hostile := map[string]string{
		"escape":         "a\x1b[2Jb",
		"C1 sequence":    "a\u009b2Jb",
		"line":           "a\nb\tc\r",
		"line of text":   "a\u2028b",
		"turned around":  "a\u202egnp.exe",
		"isolated":       "a\u2066b\u2069",
		"not seen":       "we\u200bb1",
		"no UTF-8":       "a\xff\x9bb",
		"byte order":     "\ufeffweb1",
		"language, tags": "a\U000e0061",
	}
	for what, name := range hostile {
		m := control.Member{Name: name, Arch: name, Kinds: []string{name}, Labels: map[string]string{"rack": name}, State: control.StateAlive, ID: "12D3"}
		table := nodeTable([]control.Member{m})
		if lines := strings.Count(table, "\n"); lines != 3 {
			t.Errorf("%s: %d lines: %q", what, lines, table)
		}
		event := eventLine(control.Event{Kind: control.EventChanged, Node: &m})
		for _, r := range strings.ReplaceAll(table+event, "\n", "") {
			if r < ' ' || r >= 0x7f && r < 0xa0 || strings.ContainsRune("\u2028\u202e\u2066\u2069\u200b\ufeff\U000e0061", r) {
				t.Errorf("%s: %q is printed: %q", what, r, table)
			}
		}
	}
	if got := plain("Büro-Rechner 東京"); got != "Büro-Rechner 東京" {
		t.Errorf("an honest name is printed as %q", got)
	}
}
