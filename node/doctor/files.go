package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/filchsched/filch/node/control"
)

// checkDataDir looks at who may read what a node keeps.
func checkDataDir(dir string) []Finding {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return []Finding{{"data directory", OK, dir + " is not there yet; the first start makes it", ""}}
	case err != nil:
		return []Finding{{"data directory", Wrong, err.Error(), "start filch as the user whose directory it is, or name another with --data-dir"}}
	case !info.IsDir():
		return []Finding{{"data directory", Wrong, dir + " is no directory", "name another with --data-dir"}}
	}
	all := []Finding{judgeDirMode(dir, info.Mode())}
	for _, name := range []string{"identity", "secret", "incarnation", "control-token"} {
		path := filepath.Join(dir, name)
		info, err := os.Stat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			all = append(all, Finding{name, Wrong, err.Error(), "start filch as the user whose directory it is"})
		default:
			if f := judgeMode(name, path, info.Mode()); f.Status != OK {
				all = append(all, f)
			}
		}
	}
	return all
}

// judgeDirMode wants a directory in which nobody else can replace a file; that others may
// list it does no harm.
func judgeDirMode(dir string, mode fs.FileMode) Finding {
	if mode.Perm()&0o022 != 0 && runtime.GOOS != "windows" {
		return Finding{"data directory", Wrong, fmt.Sprintf("%s has mode %04o: others can replace the cluster's secret, and no node starts with it", dir, mode.Perm()), "chmod go-w " + dir}
	}
	return Finding{"data directory", OK, fmt.Sprintf("%s, only its owner changes it", dir), ""}
}

// judgeMode wants what a node keeps for itself to be closed to others.
func judgeMode(check, path string, mode fs.FileMode) Finding {
	if mode.Perm()&0o077 != 0 && runtime.GOOS != "windows" {
		return Finding{check, Wrong, fmt.Sprintf("%s has mode %04o: others may get at the cluster's secret", path, mode.Perm()), "chmod go-rwx " + path}
	}
	return Finding{check, OK, fmt.Sprintf("%s, closed to others", path), ""}
}

// checkSocket looks at where the control socket is, or would be.
func checkSocket(path string) Finding {
	if len(path) > control.MaxSocketPath {
		return Finding{"socket", Wrong, fmt.Sprintf("%s has %d bytes; this system allows %d for a Unix socket", path, len(path), control.MaxSocketPath), "choose a shorter path with --socket"}
	}
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Finding{"socket", OK, path + " is free", ""}
	case err != nil:
		return Finding{"socket", Wrong, err.Error(), "ask as the user whose node it is, or name another socket with --socket"}
	case info.Mode().Type() != fs.ModeSocket:
		return Finding{"socket", Wrong, path + " is no socket", "remove it, or choose another path with --socket"}
	}
	return judgeMode("socket", path, info.Mode())
}

// minFree is the least room on the disk that a node should have: what it keeps is small,
// and a full disk keeps it from counting its next start.
const minFree = 64 << 20 // bytes

// judgeDisk looks at the room where the data directory is.
func judgeDisk(dir string, free uint64) Finding {
	if free < minFree {
		return Finding{"disk", Wrong, fmt.Sprintf("%d MiB are free at %s: a node that cannot count its start does not start", free>>20, dir), "make room"}
	}
	return Finding{"disk", OK, fmt.Sprintf("%d MiB are free at %s", free>>20, dir), ""}
}

// existing is the nearest directory above path that is there.
func existing(path string) string {
	for {
		if _, err := os.Stat(path); err == nil {
			return path
		}
		up := filepath.Dir(path)
		if up == path {
			return path
		}
		path = up
	}
}

// line is the first line of a small file; "" if it cannot be read.
func line(path string) string {
	text, _ := os.ReadFile(path)
	first, _, _ := strings.Cut(string(text), "\n")
	return strings.TrimSpace(first)
}
