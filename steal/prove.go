package steal

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/filchsched/filch/steal/core"
)

// ProofPrefix begins the names of files by which a directory is proven: a peer has another one read no file of
// any other name.
const ProofPrefix = ".filch-proof-"

// proofSize is how long such a file is.
const proofSize = 32

// prove reads the file that a peer asks about, and tells the core.
func (l *loop) prove(e core.Prove) {
	l.start(func() {
		ev := core.Proved{Peer: e.Peer, Job: e.Job}
		if content, err := readProof(e.Path, e.File); err != nil {
			ev.Refused = err.Error()
		} else {
			ev.MAC = core.ProveDir(content, e.Job, l.config.Core.ID)
		}
		l.mail.put(mail{ev: ev})
	})
}

func readProof(dir, name string) ([]byte, error) {
	switch {
	case !filepath.IsAbs(dir) || len(dir) > 4096:
		return nil, fmt.Errorf("%.100q is no absolute path", dir)
	case !strings.HasPrefix(name, ProofPrefix) || strings.ContainsRune(name, filepath.Separator) || len(name) > 255:
		return nil, fmt.Errorf("%.100q is no name of a proof", name)
	}
	path := filepath.Join(dir, name)
	info, err := os.Lstat(path) // a pipe would keep whoever opens it
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, errors.New("no such directory, or another one of that name")
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular() || info.Size() != proofSize:
		return nil, errors.New("the file is no proof")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content := make([]byte, proofSize)
	if _, err := io.ReadFull(f, content); err != nil {
		return nil, err
	}
	return content, nil
}
