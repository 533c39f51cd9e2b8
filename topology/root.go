package topology

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
)

// maxRootDepth is how far below the given directory the machine's root may
// be: archives tend to wrap it in a directory or two of their own.
const maxRootDepth = 3

// ReadRoot reads the machine whose files were copied to dir: the directory
// that holds sys and proc, or one that holds nothing but it, or a tar archive
// (.tar, .tar.gz, .tar.bz2) of such. Links that lead out of dir are not
// followed. The errors are those of ReadFS, and the file system's own.
func ReadRoot(dir string) (*Topology, error) {
	fsys, closeFS, err := openRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("topology: read machine: %w", err)
	}
	defer closeFS()
	sub, err := findMachine(fsys)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrNoMachine, dir, err)
	}
	t, err := ReadFS(sub)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	return t, nil
}

func openRoot(dir string) (fs.FS, func(), error) {
	info, err := os.Stat(dir)
	if err != nil {
		return nil, nil, err
	}
	if !info.IsDir() {
		if !isArchive(dir) {
			return nil, nil, fmt.Errorf("%s is neither a directory nor a tar archive", dir)
		}
		m, err := openArchive(dir)
		if err != nil {
			return nil, nil, err
		}
		return m, func() {}, nil
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, nil, err
	}
	return plainFS{root.FS()}, func() { root.Close() }, nil
}

// plainFS opens regular files and directories only: opening a named pipe in
// somebody's directory would wait for a writer.
type plainFS struct{ fs.FS }

func (p plainFS) Open(name string) (fs.File, error) {
	info, err := fs.Stat(p.FS, name)
	if err != nil {
		return nil, err
	}
	if m := info.Mode(); !m.IsRegular() && !m.IsDir() {
		return nil, &fs.PathError{Op: "open", Path: name, Err: errNotPlain}
	}
	return p.FS.Open(name)
}

// Stat implements fs.StatFS, so that asking costs no opening.
func (p plainFS) Stat(name string) (fs.FileInfo, error) { return fs.Stat(p.FS, name) }

var errNotPlain = errors.New("neither a regular file nor a directory")

// findMachine finds the root: where the directory is none itself, the one
// directory below it that is.
func findMachine(fsys fs.FS) (fs.FS, error) {
	level := []string{"."}
	for range maxRootDepth {
		var found, next []string
		for _, dir := range level {
			if isMachine(fsys, dir) {
				found = append(found, dir)
				continue
			}
			for _, name := range (tree{fsys}).names(dir) {
				if sub := path.Join(dir, name); name[0] != '.' && (tree{fsys}).isDir(sub) {
					next = append(next, sub)
				}
			}
		}
		switch {
		case len(found) == 1:
			return fs.Sub(fsys, found[0])
		case len(found) > 1:
			return nil, fmt.Errorf("it holds several (%s, %s); name one", found[0], found[1])
		case len(next) > maxCandidates:
			next = next[:maxCandidates]
		}
		level = next
	}
	return nil, fmt.Errorf("no %s and no proc/cpuinfo in it", cpuDir)
}

// maxCandidates bounds the directories looked at per level, so that a wrong
// directory is refused quickly.
const maxCandidates = 256

func isMachine(fsys fs.FS, dir string) bool {
	t := tree{fsys}
	return t.isDir(path.Join(dir, cpuDir)) || t.exists(dir, "proc/cpuinfo")
}

func (t tree) isDir(name string) bool {
	info, err := fs.Stat(t.fsys, name)
	return err == nil && info.IsDir()
}
