package main

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// The comparison as a section of a text for people. What is around it is written by hand and stays.
const (
	sectionBegins = "<!-- comparison: written by make compare -->"
	sectionEnds   = "<!-- comparison: end -->"
)

// publish writes the comparison into a text and draws it, if that was asked for.
func (r report) publish(o options) error {
	if o.plot != "" {
		if err := os.WriteFile(o.plot, r.draw(), 0o644); err != nil {
			return fmt.Errorf("-plot: %w", err)
		}
	}
	if o.docs == "" {
		return nil
	}
	text, err := os.ReadFile(o.docs)
	if err != nil {
		return fmt.Errorf("-docs: %w", err)
	}
	section := r.section(o)
	text, err = replaceSection(text, section)
	if err != nil {
		return fmt.Errorf("-docs %s: %w", o.docs, err)
	}
	return os.WriteFile(o.docs, text, 0o644)
}

// replaceSection puts a new section between the markers.
func replaceSection(text, section []byte) ([]byte, error) {
	before, rest, ok := bytes.Cut(text, []byte(sectionBegins))
	_, after, closed := bytes.Cut(rest, []byte(sectionEnds))
	if !ok || !closed || bytes.Contains(after, []byte(sectionBegins)) {
		return nil, fmt.Errorf("want the line %q and below it %q, once", sectionBegins, sectionEnds)
	}
	return slices.Concat(before, []byte(sectionBegins+"\n\n"), section, []byte("\n"+sectionEnds), after), nil
}

// section is the comparison in Markdown.
func (r report) section(o options) []byte {
	var b bytes.Buffer
	m := r.machine
	kernel, _, _ := strings.Cut(m.Kernel, "-") // the rest says who built it
	fmt.Fprintf(&b, "One run of `make compare` on %s, %d usable CPUs, %s, kernel %s, %s. ", m.CPU, m.UsableCPUs, m.OS, kernel, m.Go)
	fmt.Fprintf(&b, "%d rounds after one that is dropped, contenders alternating and taking turns at going first; each has %d workers. ", r.settings.Rounds, r.settings.Workers)
	fmt.Fprintf(&b, "Load before: %s; %.1f %% of CPU time stolen by the hypervisor meanwhile.\n\n", orDefault(m.LoadBefore, "unknown"), 100*r.stolen)
	fmt.Fprintf(&b, "With: %s.\n\n", strings.Join(r.withVersions(), "; "))
	if o.plot != "" {
		name := filepath.Base(o.plot)
		fmt.Fprintf(&b, "![How often filch's time fits into that of others](%s)\n\n", name)
	}
	fmt.Fprintf(&b, "`÷ filch` is how often filch's time fits into the contender's, of the medians, and in brackets the least and the most of single rounds, each against the same round: "+
		"above 1 filch is faster. Contenders in parentheses run another program, for proportion.\n")
	for _, s := range r.standings {
		s.writeMarkdown(&b)
	}
	r.writeLosses(&b)
	return b.Bytes()
}

// withVersions lists what was measured and in which version.
func (r report) withVersions() (list []string) {
	for _, name := range []string{toolXargs, toolParallel, toolDask} {
		switch t := r.settings.Tools[name]; {
		case t.Version != "":
			list = append(list, t.Version)
		case t.Missing != "":
			list = append(list, fmt.Sprintf("not %s (%s)", name, t.Missing))
		}
	}
	for _, path := range slices.Sorted(maps.Keys(r.versions)) {
		if !strings.HasSuffix(path, "/filch") {
			list = append(list, path+" "+r.versions[path])
		}
	}
	return list
}

// writeMarkdown writes a contest's table.
func (s standing) writeMarkdown(b *bytes.Buffer) {
	ours, ok := s.ours()
	fmt.Fprintf(b, "\n**%s**: %s\n\n| contender | median ms | [least..most] | per %s | ÷ filch | how |\n|---|---|---|---|---|---|\n", s.contest.key, s.contest.title, s.contest.unit)
	for _, sc := range s.scores {
		name := sc.contender.name
		if sc.contender.aside {
			name = "(" + name + ")"
		}
		if len(sc.rounds) == 0 {
			fmt.Fprintf(b, "| %s | skipped | | | | %s |\n", name, cell(sc.absence()))
			continue
		}
		took := sc.took()
		relative := "-"
		if ok && sc.contender.name == ours.contender.name {
			relative = "1"
		} else if ok {
			relative = timesFaster(sc, ours).String()
		}
		config := cell(sc.contender.config)
		if strings.HasPrefix(config, "filch run") || strings.HasPrefix(config, "xargs") || strings.HasPrefix(config, "parallel") {
			config = "`" + config + "`"
		}
		fmt.Fprintf(b, "| %s | %s | [%s..%s] | %s | %s | %s |\n", name, milliseconds(median(took)),
			milliseconds(slices.Min(took)), milliseconds(slices.Max(took)), round(time.Duration(s.perOperation(median(took)))), relative, config)
	}
}

func (r ratio) String() string { return fmt.Sprintf("%.2f [%.2f..%.2f]", r.value, r.min, r.max) }

// round shortens a time to three digits or so.
func round(d time.Duration) time.Duration {
	unit := time.Duration(1)
	for d >= 1000*unit {
		unit *= 10
	}
	return d.Round(unit)
}

// cell keeps text inside a cell of a table.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

// writeLosses lists where somebody is faster than filch.
func (r report) writeLosses(b *bytes.Buffer) {
	fmt.Fprintf(b, "\n**Where filch loses.** ")
	var lost []string
	for _, s := range r.standings {
		ours, ok := s.ours()
		for _, sc := range s.scores {
			if !ok || len(sc.rounds) == 0 || sc.contender.filch || sc.contender.bound {
				continue
			}
			if of := timesFaster(ours, sc); of.value > 1 {
				another := ""
				if sc.contender.aside {
					another = ", with another program"
				}
				lost = append(lost, fmt.Sprintf("- %s: %s is %.2f times as fast [%.2f..%.2f]%s", s.contest.key, sc.contender.name, of.value, of.min, of.max, another))
			}
		}
	}
	if len(lost) == 0 {
		fmt.Fprintf(b, "In none of these contests, in this run.\n")
		return
	}
	fmt.Fprintf(b, "All of it, whether or not the spread covers it:\n\n%s\n", strings.Join(lost, "\n"))
}

// checkPublish refuses early what would fail after minutes.
func (o options) checkPublish() error {
	if o.docs == "" {
		return nil
	}
	text, err := os.ReadFile(o.docs)
	if err == nil {
		_, err = replaceSection(text, nil)
	}
	if err == nil && !slices.Equal(o.only, compareKeys) {
		err = errors.New("want all of them: -only compare")
	}
	if err != nil {
		return fmt.Errorf("-docs %s: %w", o.docs, err)
	}
	return nil
}
