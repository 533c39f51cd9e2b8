package topology

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestReadRootFindsTheMachine(t *testing.T) {
	m := loadMachine(t, "raspberry-pi-4")
	for name, below := range map[string]string{"itself": ".", "one below": "dump", "two below": "a/fsroot", "three below": "a/b/c"} {
		dir := t.TempDir()
		m.write(t, filepath.Join(dir, below))
		top, err := ReadRoot(dir)
		if name == "three below" {
			if !errors.Is(err, ErrNoMachine) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil || len(top.CPUs) != 4 {
			t.Errorf("%s: %v, %v", name, top, err)
		}
	}
}

func TestReadRootRefuses(t *testing.T) {
	several, empty := t.TempDir(), t.TempDir()
	m := loadMachine(t, "vm-1cpu")
	m.write(t, filepath.Join(several, "one"))
	m.write(t, filepath.Join(several, "two"))
	file := filepath.Join(empty, "notes.txt")
	hollow := t.TempDir()
	for _, dir := range []string{"sys/devices/system/cpu", "proc"} {
		if err := os.MkdirAll(filepath.Join(hollow, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(file, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		dir, says string
		is        error
	}{
		{empty, "no sys/devices/system/cpu", ErrNoMachine},
		{several, "several", ErrNoMachine},
		{hollow, "names a CPU", ErrNoMachine},
		{file, "neither a directory nor a tar archive", nil},
		{filepath.Join(empty, "nowhere"), "no such file", fs.ErrNotExist},
	} {
		_, err := ReadRoot(c.dir)
		if err == nil || !strings.Contains(err.Error(), c.says) || c.is != nil && !errors.Is(err, c.is) {
			t.Errorf("%s: %v, want one that says %q", c.dir, err, c.says)
		}
	}
}

func archiveOf(t *testing.T, m *memFS, prefix string, extra ...*tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range extra {
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range m.names() {
		content := m.files[name]
		if err := w.WriteHeader(&tar.Header{Name: prefix + name, Mode: 0o444, Size: int64(len(content)), Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestReadRootOfAnArchive(t *testing.T) {
	plain := archiveOf(t, loadMachine(t, "laptop-hybrid"), "./laptop/",
		&tar.Header{Name: "laptop/link", Linkname: "/etc/passwd", Typeflag: tar.TypeSymlink},
		&tar.Header{Name: "../../escape", Typeflag: tar.TypeReg})
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	if _, err := z.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, content := range map[string][]byte{"a.tar": plain, "a.tar.gz": zipped.Bytes(), "a.tgz": zipped.Bytes()} {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, content, 0o644); err != nil {
			t.Fatal(err)
		}
		top, err := ReadRoot(p)
		if err != nil || len(top.CPUs) != 18 {
			t.Errorf("%s: %v, %v", name, top, err)
		}
	}
	for name, content := range map[string][]byte{
		"cut.tar": plain[:bytes.LastIndex(plain, []byte("GenuineIntel"))+5], "noise.tar": bytes.Repeat([]byte("noise"), 500),
		"noise.tar.gz": []byte("noise"), "noise.tar.bz2": []byte("noise"), "cut.tar.gz": zipped.Bytes()[:zipped.Len()/2],
	} {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, content, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadRoot(p); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v, want an error that names the file", name, err)
		}
	}
}

func TestArchivesKeepRelativeLinks(t *testing.T) {
	m := newMemFS()
	m.put("sys/cpufreq/policy6/base_frequency", "1900000")
	m.links["sys/cpu6/cpufreq"] = "../cpufreq/policy6"
	m.links["sys/out"] = "../../etc"
	m.links["sys/round"] = "round"
	m.links["sys/gone"] = "nowhere"
	if n, ok := (tree{m}).number("sys/cpu6/cpufreq/base_frequency"); !ok || n != 1900000 {
		t.Errorf("through the link: %d, %v", n, ok)
	}
	for _, name := range []string{"sys/out/passwd", "sys/round/x", "sys/round", "sys/gone/x"} {
		if _, err := m.Open(name); err == nil {
			t.Errorf("%s was opened", name)
		}
	}
}

func TestArchivesAreBounded(t *testing.T) {
	text := archiveOf(t, loadMachine(t, "raspberry-pi-4"), "")
	if _, err := unpack(bytes.NewReader(text), archiveLimits{files: 1000, bytes: 1 << 20}); err != nil {
		t.Fatal(err)
	}
	for _, l := range []archiveLimits{{files: 10, bytes: 1 << 20}, {files: 1000, bytes: 5000}} {
		if _, err := unpack(bytes.NewReader(text), l); err == nil || !strings.Contains(err.Error(), "more than") {
			t.Errorf("%+v: %v", l, err)
		}
	}
}

// Links must not lead out of the root, pipes must not be waited for.
func TestReadRootStaysInside(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no links and pipes")
	}
	outside, dir := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "cpuinfo"), []byte("processor : 0\nmodel name : outside\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	loadMachine(t, "vm-1cpu").without(func(name string) bool { return strings.HasPrefix(name, "proc/") }).write(t, dir)
	if err := os.Mkdir(filepath.Join(dir, "proc"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(outside, "cpuinfo"), filepath.Join(dir, "proc", "cpuinfo")); err != nil {
		t.Fatal(err)
	}
	makePipe(t, filepath.Join(dir, "proc", "meminfo"))
	top, err := ReadRoot(dir)
	if err != nil || top.Brand != "" {
		t.Fatalf("%v, %v", top, err)
	}
}
