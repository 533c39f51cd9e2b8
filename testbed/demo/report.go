package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/filchsched/filch/cmd/filch/compose"
)

// A report is text. It is printed as it comes.
type report struct{ b strings.Builder }

func (r *report) line(format string, args ...any) {
	text := strings.TrimRight(fmt.Sprintf(format, args...), "\n") + "\n"
	r.b.WriteString(text)
	fmt.Print(text)
}

func (r *report) write(path string) error { return os.WriteFile(path, []byte(r.b.String()), 0o644) }

// share tells how well cores were used. What counts as work is the CPU time that a sample of it took in a row, on one core.
func (r *report) share(took, inARow time.Duration, used count, cores float64) {
	there := took.Seconds() * cores
	r.line("  %.1f s; one after the other it is %.1f s of CPU time (by a sample), so %.0f %% of %g cores did that work; %.0f %% were used, by the nodes themselves, too",
		took.Seconds(), inARow.Seconds(), 100*inARow.Seconds()/there, cores, 100*used.cpu.Seconds()/there)
}

// levels tells how far tasks went.
func (r *report) levels(c count) {
	var all []string
	for _, level := range []string{"host", "rack", "zone", "remote"} {
		all = append(all, fmt.Sprintf("%s %d", level, c.byLevel[level]))
	}
	r.line("  stolen, by level: %s", strings.Join(all, ", "))
}

// places tells where tasks ran.
func (r *report) places(log []ran, nodes []compose.Node) {
	for _, n := range nodes {
		tasks, busy := 0, 0.0
		for _, x := range log {
			if x.node == n.Name {
				tasks++
				busy += x.end - x.begin
			}
		}
		r.line("  %-7s %-3s %-3s %4g cores  %5d tasks  %6.1f s", n.Name, n.RackName, n.Zone, n.CPUs, tasks, busy)
	}
}
