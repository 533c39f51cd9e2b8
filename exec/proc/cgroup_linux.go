package proc

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// A controller is where the cgroups of this process are for one resource.
type controller struct {
	name    string // "memory" or "cpu"
	dir     string // our own cgroup, in which those of commands are made; "" if there is none
	unified bool   // version 2
}

// findController finds our cgroup for a resource from what /proc/self/mountinfo
// and /proc/self/cgroup hold. A controller that is in version 1 is not in version 2.
func findController(name, mountinfo, membership string) (controller, error) {
	c := controller{name: name}
	unified := ""
	for line := range strings.Lines(membership) {
		_, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
		names, path, ok := strings.Cut(rest, ":")
		switch {
		case !ok:
		case names == "":
			unified = path
		case slices.Contains(strings.Split(names, ","), name):
			c.dir = mountedAt(mountinfo, "cgroup", name, path)
			return c, missing(c, "the cgroup is not mounted")
		}
	}
	c.unified = true
	if unified != "" {
		c.dir = mountedAt(mountinfo, "cgroup2", "", unified)
	}
	return c, missing(c, "there are no cgroups")
}

func missing(c controller, why string) error {
	if c.dir == "" {
		return errors.New(why)
	}
	return nil
}

// mountedAt is where path of a hierarchy is in the file system, "" if it is not. A line
// of mountinfo is "ID PARENT DEVICE ROOT POINT OPTIONS … - TYPE SOURCE SUPEROPTIONS".
func mountedAt(mountinfo, kind, option, path string) string {
	for line := range strings.Lines(mountinfo) {
		before, after, _ := strings.Cut(line, " - ")
		f, g := strings.Fields(before), strings.Fields(after)
		if len(f) < 5 || len(g) < 3 || g[0] != kind || option != "" && !slices.Contains(strings.Split(g[2], ","), option) {
			continue
		}
		root, point := unescape(f[3]), unescape(f[4])
		below, err := filepath.Rel(root, path)
		if err == nil && below != ".." && !strings.HasPrefix(below, "../") {
			return filepath.Join(point, below)
		}
	}
	return ""
}

// unescape undoes what mountinfo does to blanks in names.
var unescape = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace

// usable tries whether groups can be made in c, with its limit.
func (c controller) usable() error {
	if c.unified {
		if err := c.enable(); err != nil {
			return err
		}
	}
	g := cgroup{controller: c, dir: filepath.Join(c.dir, fmt.Sprintf(groupName, os.Getpid(), 0))}
	if err := os.Mkdir(g.dir, 0o755); err != nil {
		return err
	}
	defer os.Remove(g.dir)
	_, err := os.Stat(filepath.Join(g.dir, c.limitFile()))
	return err
}

// enable gives the groups below ours the controller.
func (c controller) enable() error {
	err := os.WriteFile(filepath.Join(c.dir, "cgroup.subtree_control"), []byte("+"+c.name), 0o644)
	if err != nil {
		if errors.Is(err, syscall.EBUSY) {
			return fmt.Errorf("%w (version 2 gives no limits to groups in one that has processes of its own, as this one has filch; only its root may)", err)
		}
		return err
	}
	return nil
}

func (c controller) limitFile() string {
	switch {
	case c.name == "memory" && c.unified:
		return "memory.max"
	case c.name == "memory":
		return "memory.limit_in_bytes"
	case c.unified:
		return "cpu.max"
	}
	return "cpu.cfs_quota_us"
}

func (c controller) String() string {
	if c.unified {
		return "cgroup v2 in " + c.dir
	}
	return "cgroup v1 in " + c.dir
}
