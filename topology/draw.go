package topology

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// DefaultWidth is the line length that Draw keeps to when it is given none.
const DefaultWidth = 100

// minWidth is the least line length that Draw can keep to.
const minWidth = 60

// Draw writes the machine for people: a headline, the tree of what is shared,
// and the matrix of levels, in lines of at most width characters (0 means
// DefaultWidth). Large machines are drawn by example: of siblings that look
// alike the first is drawn and the rest are counted.
func (t *Topology) Draw(w io.Writer, width int) error {
	if width <= 0 {
		width = DefaultWidth
	}
	d := &drawing{t: t, width: max(width, minWidth)}
	d.headline()
	d.line("")
	d.tree()
	d.line("")
	d.matrix()
	if _, err := io.WriteString(w, d.b.String()); err != nil {
		return fmt.Errorf("topology: draw: %w", err)
	}
	return nil
}

type drawing struct {
	t     *Topology
	width int
	b     strings.Builder
}

// line writes one line, cut at the width.
func (d *drawing) line(format string, args ...any) {
	s := fmt.Sprintf(format, args...)
	if utf8.RuneCountInString(s) > d.width {
		s = string([]rune(s)[:d.width-3]) + "..."
	}
	d.b.WriteString(strings.TrimRight(strings.ReplaceAll(s, joined, " "), " "))
	d.b.WriteByte('\n')
}

// joined stands for a space that no line breaks at.
const joined = "\u00a0"

// field writes a labelled line and wraps it at spaces.
func (d *drawing) field(label, text string) {
	const indent = 10
	words := strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == '\n' || r == '\t' })
	if len(words) == 0 {
		return
	}
	line := fmt.Sprintf("%-*s%s", indent, label, words[0])
	for _, w := range words[1:] {
		if utf8.RuneCountInString(line)+1+utf8.RuneCountInString(w) > d.width {
			d.line("%s", line)
			line = strings.Repeat(" ", indent) + w
			continue
		}
		line += " " + w
	}
	d.line("%s", line)
}

func (d *drawing) headline() {
	t := d.t
	brand := t.Brand
	if brand == "" {
		brand = "unknown processor"
	}
	d.field("machine", brand)
	has := []string{
		plural(len(t.Packages), "package"), plural(len(t.Nodes), "NUMA node"),
		plural(len(t.LLCs), "last-level cache"), plural(t.Cores(), "core"), plural(len(t.CPUs), "CPU"),
	}
	if t.Memory > 0 {
		has = append(has, bytesText(t.Memory))
	}
	d.field("has", strings.Join(has, ", "))
	d.field("caches", cachesText(t.CacheGroups()))
	d.field("cores", kindsText(t.Kinds()))
	d.field("affinity", t.AffinityText())
	d.field("quota", t.QuotaText())
	d.field("workers", strconv.Itoa(t.Workers()))
}

// AffinityText says in a sentence how many CPUs are usable, and why not all.
func (t *Topology) AffinityText() string {
	l := t.Limits
	if len(t.CPUs) >= l.Total {
		return fmt.Sprintf("all of %s usable", plural(len(t.CPUs), "CPU"))
	}
	var why []string
	if n := len(l.Offline); n > 0 {
		why = append(why, fmt.Sprintf("%s offline (%s)", isAre(n), shortList(l.Offline)))
	}
	if n := len(l.Cpuset); n > 0 {
		why = append(why, fmt.Sprintf("the cgroup's cpuset /%s withholds %d (%s)", l.CpusetFrom, n, shortList(l.Cpuset)))
	}
	if n := len(l.Affinity); n > 0 {
		why = append(why, fmt.Sprintf("the affinity mask withholds %d (%s)", n, shortList(l.Affinity)))
	}
	s := fmt.Sprintf("%d of %d CPUs usable", len(t.CPUs), l.Total)
	if len(why) > 0 {
		s += ", because " + strings.Join(why, " and ")
	}
	return s
}

// QuotaText says in a sentence how much CPU time the cgroups allow.
func (t *Topology) QuotaText() string {
	if t.Quota <= 0 {
		return "none"
	}
	n := strconv.FormatFloat(t.Quota, 'f', 2, 64)
	n = strings.TrimRight(strings.TrimRight(n, "0"), ".")
	unit := "CPUs"
	if n == "1" {
		unit = "CPU"
	}
	return fmt.Sprintf("%s %s, says /%s", n, unit, t.QuotaFrom)
}

func isAre(n int) string {
	if n == 1 {
		return "1 is"
	}
	return fmt.Sprintf("%d are", n)
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// shortList is FormatList, cut behind a comma where it is long.
func shortList(ns []int) string {
	const most = 40
	s := FormatList(ns)
	if len(s) <= most {
		return s
	}
	return s[:strings.LastIndexByte(s[:most], ',')] + ",..."
}

func bytesText(n int64) string {
	for _, u := range []struct {
		size int64
		name string
	}{{1 << 40, "TiB"}, {1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}} {
		if n >= u.size {
			s := strconv.FormatFloat(float64(n)/float64(u.size), 'f', 1, 64)
			return strings.TrimSuffix(s, ".0") + " " + u.name
		}
	}
	return fmt.Sprintf("%d B", n)
}

// cacheName is "L1d", "L1i", "L2".
func cacheName(level int, typ CacheType) string {
	switch typ {
	case CacheData:
		return fmt.Sprintf("L%dd", level)
	case CacheInstruction:
		return fmt.Sprintf("L%di", level)
	default:
		return fmt.Sprintf("L%d", level)
	}
}

func cachesText(groups []CacheGroup) string {
	if len(groups) == 0 {
		return "unknown"
	}
	var parts []string
	for _, g := range groups {
		s := fmt.Sprintf("%d x %s", g.Count, cacheName(g.Level, g.Type))
		if g.Size > 0 {
			s += " " + bytesText(g.Size)
		}
		parts = append(parts, strings.ReplaceAll(s, " ", joined))
	}
	return strings.Join(parts, ", ")
}

func kindsText(kinds []KindSummary) string {
	var parts []string
	for _, k := range kinds {
		if k.Kind == KindUniform {
			parts = append(parts, "all alike")
			continue
		}
		parts = append(parts, fmt.Sprintf("%d %s (CPU %s)", k.Cores, k.Kind, shortList(k.CPUs)))
	}
	return strings.Join(parts, ", ")
}
