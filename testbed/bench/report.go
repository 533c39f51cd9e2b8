package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// A report is everything one run has to tell.
type report struct {
	command   []string
	machine   machine
	versions  map[string]string
	settings  settings
	standings []standing
	stolen    float64 // share of CPU time that the hypervisor gave to others meanwhile
}

// writeText prints the report for people.
func (r report) writeText(w io.Writer) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	r.writeFacts(out)
	for _, s := range r.standings {
		fmt.Fprintf(out, "\n%s: %s\n", s.contest.key, s.contest.title)
		s.writeTable(out)
		s.writeNotes(out)
	}
	fmt.Fprintf(out, "\ngoals (they inform; only a wrong result fails this program)\n")
	for _, s := range r.standings {
		for _, g := range s.goals() {
			fmt.Fprintf(out, "  %s: %v\n", s.contest.key, g)
		}
	}
	return out.Flush()
}

func (r report) writeFacts(w io.Writer) {
	m := r.machine
	cores := ""
	if m.PhysicalCores > 0 {
		cores = fmt.Sprintf(", %d cores", m.PhysicalCores)
	}
	fmt.Fprintf(w, "machine   %s%s, %d usable CPUs, %s %s\n", m.CPU, cores, m.UsableCPUs, m.OS, m.Kernel)
	fmt.Fprintf(w, "go        %s, GOMAXPROCS %d for every contender, GOGC %s\n", m.Go, m.GOMAXPROCS, m.GOGC)
	for _, path := range slices.Sorted(maps.Keys(r.versions)) {
		fmt.Fprintf(w, "module    %s %s\n", path, r.versions[path])
	}
	fmt.Fprintf(w, "load      %s before; %.1f %% of CPU time stolen by the hypervisor during the run\n", orDefault(m.LoadBefore, "unknown"), 100*r.stolen)
	fmt.Fprintf(w, "command   %s\n", strings.Join(r.command, " "))
	fmt.Fprintf(w, "rounds    %d, contenders alternating, after one that is dropped; median [least..most]\n", r.settings.Rounds)
}

func (s standing) goals() []goal {
	if s.contest.goals == nil {
		return nil
	}
	return s.contest.goals(s)
}

// writeTable prints a line per contender. The ratio says how often filch's
// time fits into the contender's.
func (s standing) writeTable(w io.Writer) {
	ours, ok := s.ours()
	fmt.Fprintf(w, "  contender\tmedian ms\t[least..most]\tns/%s\ttime ÷ filch's\tallocs/%s\tpeak MB\n", s.contest.unit, s.contest.unit)
	for _, sc := range s.scores {
		if len(sc.rounds) == 0 {
			fmt.Fprintf(w, "  %s\tskipped: %s\n", sc.contender.name, sc.absence())
			continue
		}
		took := sc.took()
		relative := "-"
		if ok {
			relative = fmt.Sprintf("%.2f", timesFaster(sc, ours).value)
		}
		name := sc.contender.name
		if sc.contender.aside {
			name = "(" + name + ")"
		}
		fmt.Fprintf(w, "  %s\t%s\t[%s..%s]\t%.1f\t%s\t%s\t%s\n", name,
			milliseconds(median(took)), milliseconds(slices.Min(took)), milliseconds(slices.Max(took)),
			s.perOperation(median(took)), relative, s.allocations(sc), megabytes(sc.peak))
	}
}

// writeNotes prints what each contender is.
func (s standing) writeNotes(w io.Writer) {
	for _, sc := range s.scores {
		if len(sc.rounds) == 0 {
			continue
		}
		aside := ""
		if sc.contender.aside {
			aside = "; a different program, for proportion only"
		}
		fmt.Fprintf(w, "  · %s: %s%s\n", sc.contender.name, sc.contender.config, aside)
	}
}

// absence says why a contender has no figures.
func (s score) absence() string {
	if s.err != nil {
		return s.err.Error()
	}
	return orDefault(s.contender.missing, "no round was finished")
}

func (s standing) perOperation(d time.Duration) float64 {
	return float64(d.Nanoseconds()) / float64(s.contest.operations)
}

// allocations per operation, the median over rounds; unknown for other processes.
func (s standing) allocations(sc score) string {
	var per []float64
	for _, r := range sc.rounds {
		per = append(per, float64(r.Mallocs)/float64(s.contest.operations))
	}
	m := median(per)
	if m == 0 {
		return "-"
	}
	return strconv.FormatFloat(m, 'f', 6, 64)
}

func megabytes(bytes int64) string {
	if bytes == 0 {
		return "-"
	}
	return strconv.FormatInt(bytes>>20, 10)
}

func milliseconds(d time.Duration) string {
	return strconv.FormatFloat(float64(d)/float64(time.Millisecond), 'f', 1, 64)
}
