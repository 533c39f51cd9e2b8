package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/filchsched/filch/node/control"
)

// nodeTable draws members as a table with a line of totals.
func nodeTable(members []control.Member) string {
	var b strings.Builder
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "NAME\tSTATE\tLEVEL\tRTT\tCORES\tFREE\tLOAD\tMEMORY\tARCH\tKINDS\tAGE\tLABELS\tADDRESS\tID")
	for _, m := range members {
		fmt.Fprintln(t, strings.Join([]string{
			dash(plain(m.Name)), m.State, levelOf(m), rttOf(m), number(m.Cores), freeOf(m), loadOf(m), memoryOf(m),
			dash(plain(m.Arch)), dash(plain(strings.Join(m.Kinds, ","))), ageOf(m), dash(labelsOf(m)), dash(addressOf(m)), m.ID,
		}, "\t"))
	}
	t.Flush()
	return trimRight(b.String()) + totals(members)
}

// trimRight takes the blanks off that tabwriter leaves at the ends of lines.
func trimRight(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}

// totals counts what is there.
func totals(members []control.Member) string {
	states := make(map[string]int)
	cores, free := 0, 0
	for _, m := range members {
		states[m.State]++
		if m.State == control.StateAlive {
			cores += m.Cores
			if m.FreeCores != nil {
				free += *m.FreeCores
			}
		}
	}
	parts := []string{}
	for _, s := range []string{control.StateAlive, control.StateSuspect, control.StateLeft, control.StateFailed} {
		if states[s] > 0 || s == control.StateAlive {
			parts = append(parts, fmt.Sprintf("%d %s", states[s], s))
		}
	}
	return fmt.Sprintf("%s; %d cores, %d known to be free\n", strings.Join(parts, ", "), cores, free)
}

func dash(s string) string { return cmp.Or(s, "-") }

// plain keeps what members call themselves from steering a terminal, from turning the
// rest of a line around, and from looking like another's name by what is not seen.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}

func number(n int) string {
	if n == 0 {
		return "-"
	}
	return fmt.Sprint(n)
}

func levelOf(m control.Member) string {
	switch {
	case m.Level == "":
		return "-"
	case m.Level == m.LevelReason:
		return m.Level
	}
	return m.Level + " (" + m.LevelReason + ")"
}

func rttOf(m control.Member) string {
	if m.RTTSeconds == nil {
		return "-"
	}
	d := time.Duration(*m.RTTSeconds * float64(time.Second))
	switch {
	case d < time.Millisecond:
		return d.Round(time.Microsecond).String()
	case d < time.Second:
		return d.Round(100 * time.Microsecond).String()
	}
	return d.Round(10 * time.Millisecond).String()
}

func freeOf(m control.Member) string {
	if m.FreeCores == nil {
		return "-"
	}
	return fmt.Sprint(*m.FreeCores)
}

// loadOf says how much work waits, in core time.
func loadOf(m control.Member) string {
	if m.Load == nil {
		return "-"
	}
	queued := time.Duration(m.Load.QueuedCoreSeconds * float64(time.Second)).Round(100 * time.Millisecond)
	switch {
	case m.Load.Surplus:
		return queued.String() + " surplus"
	case queued == 0:
		return "0"
	}
	return queued.String()
}

func memoryOf(m control.Member) string {
	if m.MemoryBytes <= 0 {
		return "-"
	}
	return fmt.Sprintf("%.1fG", float64(m.MemoryBytes)/(1<<30))
}

func ageOf(m control.Member) string {
	if m.AgeSeconds == nil {
		return "-"
	}
	return time.Duration(*m.AgeSeconds * float64(time.Second)).Round(time.Second).String()
}

func labelsOf(m control.Member) string {
	var all []string
	for _, k := range slices.Sorted(maps.Keys(m.Labels)) {
		all = append(all, plain(k+"="+m.Labels[k]))
	}
	return strings.Join(all, ",")
}

// addressOf is the first address, as HOST:PORT, and how many more there are.
func addressOf(m control.Member) string {
	hosts := control.HostPorts(m.Addrs)
	switch len(hosts) {
	case 0:
		return ""
	case 1:
		return hosts[0]
	}
	return fmt.Sprintf("%s +%d", hosts[0], len(hosts)-1)
}

// eventLine tells an event in a line; "" where there is nothing to tell.
func eventLine(e control.Event) string {
	at := e.Time.Local().Format("15:04:05")
	switch e.Kind {
	case control.EventPresent, control.EventChanged:
		m := *e.Node
		parts := []string{at, dash(plain(m.Name)), m.State}
		if m.State == control.StateAlive || m.State == control.StateSuspect {
			parts = append(parts, levelOf(m), number(m.Cores)+" cores", freeOf(m)+" free", "load "+loadOf(m))
		}
		return strings.Join(append(parts, m.ID), "  ") + "\n"
	case control.EventGone:
		return strings.Join([]string{at, "-", "forgotten", e.Node.ID}, "  ") + "\n"
	}
	return ""
}
