package topology

import (
	"archive/tar"
	"compress/bzip2"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
)

// archiveLimits bound an archive that is unpacked into memory.
type archiveLimits struct {
	files int
	bytes int64 // of the unpacked stream
}

// dumpLimits are ample: a dump of a machine of 256 CPUs has some 30,000 files
// and a few MB.
var dumpLimits = archiveLimits{files: 1 << 20, bytes: 256 << 20}

// isArchive goes by the name, as tar does.
func isArchive(name string) bool {
	for _, suffix := range []string{".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2"} {
		if strings.HasSuffix(name, suffix) {
			return true
		}
	}
	return false
}

// openArchive unpacks a tar archive into memory.
func openArchive(name string) (*memFS, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var r io.Reader = f
	switch {
	case strings.HasSuffix(name, "bz2"):
		r = bzip2.NewReader(f)
	case strings.HasSuffix(name, "gz"):
		if r, err = gzip.NewReader(f); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	m, err := unpack(r, dumpLimits)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return m, nil
}

// unpack keeps the regular files of a tar stream and its relative symbolic
// links, which lead from cpu0/cpufreq to cpufreq/policy0 for one. Absolute links
// are left out: they would lead out of the dump.
func unpack(r io.Reader, most archiveLimits) (*memFS, error) {
	limited := &io.LimitedReader{R: r, N: most.bytes + 1}
	in, m := tar.NewReader(limited), newMemFS()
	for n := 0; ; n++ {
		h, err := in.Next()
		if limited.N <= 0 || n >= most.files {
			return nil, fmt.Errorf("more than %d files or %d bytes", most.files, most.bytes)
		}
		if errors.Is(err, io.EOF) {
			return m, nil
		}
		if err == nil {
			err = m.unpackOne(h, in)
		}
		if err != nil && limited.N > 0 {
			return nil, fmt.Errorf("read tar: %w", err)
		}
	}
}

func (m *memFS) unpackOne(h *tar.Header, content io.Reader) error {
	name := strings.TrimPrefix(path.Clean("/"+h.Name), "/")
	switch h.Typeflag {
	case tar.TypeDir:
		m.mkdir(name)
	case tar.TypeReg:
		text, err := io.ReadAll(io.LimitReader(content, maxTextFile))
		if err != nil {
			return fmt.Errorf("%s: %w", clip(h.Name), err)
		}
		m.put(name, string(text))
	case tar.TypeSymlink:
		if !path.IsAbs(h.Linkname) {
			m.links[name] = h.Linkname
		}
	}
	return nil
}
