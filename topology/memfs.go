package topology

import (
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"
)

// A memFS is a read-only file tree in memory: an unpacked archive, or a
// fixture. Reading it is safe for concurrent use once it is filled.
type memFS struct {
	files map[string]string   // path -> content
	dirs  map[string][]string // path -> names, sorted by sort
	links map[string]string   // path -> relative target; directories do not list them
}

func newMemFS() *memFS {
	return &memFS{files: map[string]string{}, dirs: map[string][]string{".": nil}, links: map[string]string{}}
}

// put stores a file and makes the directories above it. It reports whether it
// could: a path that is no valid one, or that runs through a file, is refused.
func (m *memFS) put(name, content string) bool {
	if !fs.ValidPath(name) || name == "." || !m.mkdir(path.Dir(name)) {
		return false
	}
	if _, isDir := m.dirs[name]; isDir {
		return false
	}
	if _, again := m.files[name]; !again {
		m.link(name)
	}
	m.files[name] = content
	return true
}

func (m *memFS) mkdir(name string) bool {
	if _, ok := m.dirs[name]; ok {
		return true
	}
	if _, isFile := m.files[name]; isFile || !fs.ValidPath(name) || !m.mkdir(path.Dir(name)) {
		return false
	}
	m.dirs[name] = nil
	m.link(name)
	return true
}

func (m *memFS) link(name string) {
	dir := path.Dir(name)
	m.dirs[dir] = append(m.dirs[dir], path.Base(name))
}

// maxLinks bounds the links that one name may lead through.
const maxLinks = 8

// resolve follows the links on the way to name. A link that leads out of the
// tree makes a path that is not valid, and one that leads round in circles a
// path that does not exist.
func (m *memFS) resolve(name string) string {
	for range maxLinks {
		link, rest := "", ""
		for end := 1; end <= len(name) && link == ""; end++ {
			if end == len(name) || name[end] == '/' {
				if _, ok := m.links[name[:end]]; ok {
					link, rest = name[:end], name[end:]
				}
			}
		}
		if link == "" {
			return name
		}
		name = path.Join(path.Dir(link), m.links[link]) + rest
	}
	return name
}

// Open implements fs.FS.
func (m *memFS) Open(name string) (fs.File, error) {
	if len(m.links) > 0 {
		name = m.resolve(name)
	}
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	if content, ok := m.files[name]; ok {
		return &memFile{memInfo: memInfo{path.Base(name), int64(len(content)), 0o444}, Reader: strings.NewReader(content)}, nil
	}
	names, ok := m.dirs[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	d := &memDir{memInfo: memInfo{path.Base(name), 0, fs.ModeDir | 0o555}, name: name}
	for _, n := range slices.Sorted(slices.Values(names)) {
		info := memInfo{n, 0, fs.ModeDir | 0o555}
		if content, ok := m.files[path.Join(name, n)]; ok {
			info = memInfo{n, int64(len(content)), 0o444}
		}
		d.entries = append(d.entries, fs.FileInfoToDirEntry(info))
	}
	return d, nil
}

// names lists the files, sorted.
func (m *memFS) names() []string { return slices.Sorted(maps.Keys(m.files)) }

type memInfo struct {
	base string
	size int64
	mode fs.FileMode
}

func (i memInfo) Name() string       { return i.base }
func (i memInfo) Size() int64        { return i.size }
func (i memInfo) Mode() fs.FileMode  { return i.mode }
func (i memInfo) ModTime() time.Time { return time.Time{} }
func (i memInfo) IsDir() bool        { return i.mode.IsDir() }
func (i memInfo) Sys() any           { return nil }

type memFile struct {
	memInfo
	*strings.Reader
}

func (f *memFile) Stat() (fs.FileInfo, error) { return f.memInfo, nil }
func (f *memFile) Size() int64                { return f.memInfo.size }
func (f *memFile) Close() error               { return nil }

type memDir struct {
	memInfo
	name    string
	entries []fs.DirEntry
}

func (d *memDir) Stat() (fs.FileInfo, error) { return d.memInfo, nil }
func (d *memDir) Close() error               { return nil }

func (d *memDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.name, Err: fs.ErrInvalid}
}

// ReadDir implements fs.ReadDirFile.
func (d *memDir) ReadDir(n int) ([]fs.DirEntry, error) {
	if n <= 0 {
		n = len(d.entries)
	} else if len(d.entries) == 0 {
		return nil, io.EOF
	}
	n = min(n, len(d.entries))
	out := d.entries[:n:n]
	d.entries = d.entries[n:]
	return out, nil
}
