package topology

import (
	"fmt"
	"strings"
)

// maxMatrix is the most rows and columns of a drawn matrix: with two
// characters a column and the labels it fits 80.
const maxMatrix = 24

// levelLetters stand for the levels within a machine.
var levelLetters = [...]byte{LevelSelf: '.', LevelCore: 'c', LevelLLC: 'l', LevelNUMA: 'n', LevelSocket: 's', LevelHost: 'h'}

// matrix draws who is how far from whom. The rows are CPUs, or, on a larger
// machine, the smallest groups of which there are few enough.
func (d *drawing) matrix() {
	t := d.t
	noun, nouns, groups := "CPU", "CPUs", classes(t.CPUs, func(c CPU) int { return c.OS })
	for i := len(treeLevels) - 1; i >= 0 && len(groups) > maxMatrix; i-- {
		if g := classes(t.CPUs, treeLevels[i].of); len(g) < len(groups) {
			noun, nouns, groups = treeLevels[i].noun, treeLevels[i].nouns, g
		}
	}
	left := 0
	if len(groups) > maxMatrix {
		left = len(groups) - maxMatrix
		groups = groups[:maxMatrix]
	}
	d.line("levels between %s: c core, l llc, n numa, s socket, h host", nouns)
	names := make([]string, len(groups))
	label := 0
	for i, g := range groups {
		names[i] = groupName(noun, i, g)
		label = max(label, len(names[i]))
	}
	for i, g := range groups {
		var row strings.Builder
		for j, h := range groups {
			letter := levelLetters[g[0].Distance(h[0])]
			if i == j {
				letter = levelLetters[LevelSelf]
			}
			fmt.Fprintf(&row, " %c", letter)
		}
		d.line("  %-*s %s", label, names[i], row.String())
	}
	if left > 0 {
		d.line("  ... and %d more", left)
	}
}

func groupName(noun string, i int, g []CPU) string {
	const most = 24
	if noun == "CPU" {
		return fmt.Sprint(g[0].OS)
	}
	s := fmt.Sprintf("%d: CPU %s", i, FormatList(osNumbers(g)))
	if len(s) > most {
		s = s[:strings.LastIndexByte(s[:most-3], ',')+1] + "..."
		if strings.HasPrefix(s, "...") {
			s = fmt.Sprintf("%d: %d CPUs", i, len(g))
		}
	}
	return s
}
