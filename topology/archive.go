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

// Bounds on an archive that is unpacked into memory. A dump of a machine of
// 256 CPUs has some 30,000 files and a few MB.
const (
	maxArchiveFiles = 1 << 20
	maxArchiveBytes = 256 << 20
)

var errArchiveTooLarge = fmt.Errorf("more than %d files or %d MiB", maxArchiveFiles, maxArchiveBytes>>20)

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
	m, err := unpack(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return m, nil
}

// unpack keeps the regular files of a tar stream that a machine's tree may
// need. Links are left out: the kernel's files that matter are plain ones.
func unpack(r io.Reader) (*memFS, error) {
	limited := &io.LimitedReader{R: r, N: maxArchiveBytes + 1}
	in, m := tar.NewReader(limited), newMemFS()
	for n := 0; ; n++ {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return m, nil
		}
		if limited.N <= 0 || n >= maxArchiveFiles {
			return nil, errArchiveTooLarge
		}
		if err != nil {
			return nil, fmt.Errorf("read tar: %w", err)
		}
		name := strings.TrimPrefix(path.Clean("/"+h.Name), "/")
		switch h.Typeflag {
		case tar.TypeDir:
			m.mkdir(name)
		case tar.TypeReg:
			content, err := io.ReadAll(io.LimitReader(in, maxTextFile))
			if err != nil {
				return nil, fmt.Errorf("read tar: %s: %w", clip(h.Name), err)
			}
			m.put(name, string(content))
		}
	}
}
