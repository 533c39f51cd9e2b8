package topology

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// Bounds on what is read of one file and one directory. A file of sysfs is a
// page at most; the text files grow with the CPUs (cpuinfo: about 1.5 KB each)
// or with the mounts. More than that is cut off, never an error: the parsers
// stand truncated input.
const (
	maxSmallFile = 64 << 10
	maxTextFile  = 16 << 20
	maxEntries   = 4 * maxCPUs
)

const (
	cpuDir  = "sys/devices/system/cpu"
	nodeDir = "sys/devices/system/node"
)

// A tree reads the files of one machine: the live one or a copy. Every reader
// answers "nothing known" where a file is missing, unreadable or nonsense,
// because in any real tree some file is.
type tree struct{ fsys fs.FS }

// text reads up to limit bytes of a file.
func (t tree) text(limit int64, elem ...string) (string, bool) {
	name := path.Join(elem...)
	if !fs.ValidPath(name) {
		return "", false
	}
	f, err := t.fsys.Open(name)
	if err != nil {
		return "", false
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit))
	if err != nil && len(b) == 0 {
		return "", false
	}
	return string(b), true
}

func (t tree) small(elem ...string) (string, bool) { return t.text(maxSmallFile, elem...) }

func (t tree) mask(elem ...string) (cpuSet, bool) {
	text, ok := t.small(elem...)
	if !ok {
		return nil, false
	}
	s, err := parseMask(text)
	return s, err == nil
}

func (t tree) list(elem ...string) (cpuSet, bool) {
	text, ok := t.small(elem...)
	if !ok {
		return nil, false
	}
	s, err := parseList(text)
	return s, err == nil
}

// number reads a file that starts with a decimal number.
func (t tree) number(elem ...string) (int64, bool) {
	text, ok := t.small(elem...)
	if !ok {
		return 0, false
	}
	return leadingNumber(text)
}

func (t tree) exists(elem ...string) bool {
	_, err := fs.Stat(t.fsys, path.Join(elem...))
	return err == nil
}

// names lists a directory, at most maxEntries names, in no particular order.
func (t tree) names(elem ...string) []string {
	f, err := t.fsys.Open(path.Join(elem...))
	if err != nil {
		return nil
	}
	defer f.Close()
	dir, ok := f.(fs.ReadDirFile)
	if !ok {
		return nil
	}
	entries, err := dir.ReadDir(maxEntries)
	if err != nil && !errors.Is(err, io.EOF) && len(entries) == 0 {
		return nil
	}
	out := make([]string, 0, len(entries))
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

// numbered is the set of n for which the directory has an entry prefix+n.
func (t tree) numbered(prefix string, elem ...string) cpuSet {
	var s cpuSet
	for _, name := range t.names(elem...) {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			if n, err := strconv.Atoi(rest); err == nil && rest[0] != '+' {
				s.add(n)
			}
		}
	}
	return s
}

func cpuPath(cpu int) string   { return fmt.Sprintf("%s/cpu%d", cpuDir, cpu) }
func nodePath(node int) string { return fmt.Sprintf("%s/node%d", nodeDir, node) }
