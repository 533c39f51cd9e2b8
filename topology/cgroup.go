package topology

import (
	"path"
	"slices"
	"strings"
)

// maxCgroupDepth bounds the ancestors that are looked at; systemd and
// Kubernetes together come to about ten.
const maxCgroupDepth = 64

// A membership says which cgroup the process is in, per hierarchy, by the
// lines "number:controllers:path" of /proc/self/cgroup.
type membership struct {
	unified string            // of version 2, "" when it is not used
	byName  map[string]string // of version 1, by controller
	cpuset  string            // /proc/self/cpuset
}

func (t tree) membership() membership {
	text, _ := t.small("proc/self/cgroup")
	m := parseMembership(text)
	if line, ok := t.small("proc/self/cpuset"); ok {
		m.cpuset, _, _ = strings.Cut(line, "\n")
	}
	return m
}

func parseMembership(text string) membership {
	m := membership{byName: map[string]string{}}
	for line := range strings.Lines(text) {
		parts := strings.SplitN(strings.TrimRight(line, "\n"), ":", 3)
		if len(parts) < 3 {
			continue
		}
		if parts[1] == "" {
			m.unified = parts[2]
			continue
		}
		for c := range strings.SplitSeq(parts[1], ",") {
			m.byName[c] = parts[2]
		}
	}
	return m
}

// path is the process's cgroup in the hierarchy mounted at mount, for a
// controller.
func (m membership) path(mount cgroupMount, controller string) string {
	if mount.version == 2 {
		return m.unified
	}
	return m.byName[controller]
}

// ancestors lists the directories of a cgroup and of those above it up to the
// mount's root, innermost first, as far as they can be seen through the mount.
//
// Inside a container the path may be that of the host's hierarchy while the
// mount shows only the container's part of it; then the part that the mount
// leaves out is cut off, and what is not below the mount at all counts as the
// mount's root.
func ancestors(mount cgroupMount, cgroup string) []string {
	rel := path.Clean("/" + cgroup)
	if mount.root != "/" {
		rest, ok := strings.CutPrefix(rel, mount.root)
		if !ok || rest != "" && rest[0] != '/' {
			rest = "/"
		}
		rel = path.Clean("/" + rest)
	}
	var dirs []string
	for range maxCgroupDepth {
		dirs = append(dirs, path.Join(mount.point, rel))
		if rel == "/" {
			break
		}
		rel = path.Dir(rel)
	}
	return dirs
}

// cpusetMount finds the hierarchy that holds cpusets: the usual places first,
// as hwloc does, then whatever the mount table says.
func (t tree) cpusetMount(mounts []cgroupMount) (cgroupMount, bool) {
	for _, usual := range []struct {
		point, file string
		version     int
	}{
		{"sys/fs/cgroup", "cpuset.cpus.effective", 2},
		{"sys/fs/cgroup/cpuset", "cpuset.cpus", 1},
		{"dev/cpuset", "cpus", 0},
	} {
		if t.exists(usual.point, usual.file) {
			for _, m := range mounts { // for its root
				if m.point == usual.point && m.version == usual.version {
					return m, true
				}
			}
			return cgroupMount{point: usual.point, root: "/", version: usual.version}, true
		}
	}
	for _, m := range mounts {
		if m.version != 2 && m.has("cpuset") {
			return m, true
		}
		if m.version == 2 {
			controllers, _ := t.small(m.point, "cgroup.controllers")
			if slices.Contains(strings.Fields(controllers), "cpuset") {
				return m, true
			}
		}
	}
	return cgroupMount{}, false
}

// allowed is what the process's cpuset grants. A nil set is no restriction.
type allowed struct {
	cpus, mems cpuSet
	from       string // the file of cpus
}

func (t tree) allowed(mounts []cgroupMount, m membership) allowed {
	mount, ok := t.cpusetMount(mounts)
	if !ok {
		return allowed{}
	}
	cgroup := m.cpuset
	if cgroup == "" {
		cgroup = m.path(mount, "cpuset")
	}
	if cgroup == "" {
		return allowed{}
	}
	prefix, suffix := "cpuset.", ""
	switch mount.version {
	case 2:
		suffix = ".effective"
	case 0:
		prefix = ""
	}
	var a allowed
	dirs := ancestors(mount, cgroup)
	a.cpus, a.from = t.firstList(dirs, prefix+"cpus"+suffix)
	a.mems, _ = t.firstList(dirs, prefix+"mems"+suffix)
	return a
}

// firstList reads the list of the innermost cgroup that has one: a cgroup
// without the controller is bound by the next one above.
func (t tree) firstList(dirs []string, file string) (cpuSet, string) {
	for _, dir := range dirs {
		if s, ok := t.list(dir, file); ok && !s.empty() {
			return s, path.Join(dir, file)
		}
	}
	return nil, ""
}
