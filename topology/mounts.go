package topology

import (
	"path"
	"strconv"
	"strings"
)

// maxMounts bounds the cgroup mounts that are looked at; a machine has about a
// dozen.
const maxMounts = 256

// A cgroupMount is one mounted cgroup hierarchy.
type cgroupMount struct {
	point   string // where it is mounted, without the leading slash
	root    string // which cgroup of the hierarchy appears there
	version int    // 1 or 2; 0 is the cpuset filesystem from before cgroups
	// controllers of a version-1 hierarchy.
	controllers []string
}

func (m cgroupMount) has(controller string) bool {
	for _, c := range m.controllers {
		if c == controller {
			return true
		}
	}
	return false
}

// cgroupMounts lists the mounted hierarchies. mountinfo is the better source,
// because it says which cgroup a container sees as its root.
func (t tree) cgroupMounts() []cgroupMount {
	if text, ok := t.text(maxTextFile, "proc/self/mountinfo"); ok {
		if ms := parseMountInfo(text); len(ms) > 0 {
			return ms
		}
	}
	for _, name := range []string{"proc/self/mounts", "proc/mounts"} {
		if text, ok := t.text(maxTextFile, name); ok {
			return parseMounts(text)
		}
	}
	return nil
}

// parseMountInfo reads /proc/PID/mountinfo (proc_pid_mountinfo(5)):
// "36 35 98:0 /root /point opts - type source superopts", with any number of
// optional fields before the dash.
func parseMountInfo(text string) []cgroupMount {
	var out []cgroupMount
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		dash := -1
		for i, f := range fields {
			if f == "-" && i >= 6 {
				dash = i
				break
			}
		}
		if dash < 0 || len(fields) < dash+4 || len(out) == maxMounts {
			continue
		}
		if m, ok := newMount(fields[4], fields[dash+1], fields[dash+3]); ok {
			m.root = path.Clean("/" + unescapeMount(fields[3]))
			out = append(out, m)
		}
	}
	return out
}

// parseMounts reads /proc/mounts (fstab(5)): "source point type opts 0 0".
func parseMounts(text string) []cgroupMount {
	var out []cgroupMount
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 4 || len(out) == maxMounts {
			continue
		}
		if m, ok := newMount(fields[1], fields[2], fields[3]); ok {
			out = append(out, m)
		}
	}
	return out
}

func newMount(point, fstype, options string) (cgroupMount, bool) {
	m := cgroupMount{point: rooted(unescapeMount(point)), root: "/"}
	switch fstype {
	case "cgroup2":
		m.version = 2
	case "cgroup":
		m.version = 1
		m.controllers = strings.Split(options, ",")
		if m.has("cpuset") && m.has("noprefix") {
			m.version = 0
		}
	case "cpuset":
		m.controllers = []string{"cpuset"}
	default:
		return m, false
	}
	return m, true
}

// unescapeMount undoes the octal escapes (\040 for a space) of mount tables.
func unescapeMount(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// rooted turns an absolute path into one that an fs.FS takes, with no way out
// of the root.
func rooted(p string) string {
	p = strings.TrimPrefix(path.Clean("/"+p), "/")
	if p == "" {
		return "."
	}
	return p
}
