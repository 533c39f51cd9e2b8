package main

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"

	"github.com/filchsched/filch/steal/core"
)

// proofPrefix begins the name of the file by which a peer shows that it has the same directory.
const proofPrefix = ".filch-proof-"

// A proof is that file, for as long as a run lasts. Whoever can read it has the directory, and
// the right to read what its owner can.
type proof struct{ dir core.Dir }

// newProof writes a file of secret content, which only this user may read, into a directory.
func newProof(dir string) (*proof, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	p := &proof{core.Dir{Path: dir}}
	var name [8]byte
	rand.Read(name[:])
	rand.Read(p.dir.Nonce[:])
	p.dir.File = proofPrefix + hex.EncodeToString(name[:])
	f, err := os.OpenFile(p.path(), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	_, err = f.Write(p.dir.Nonce[:])
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		os.Remove(p.path())
		return nil, fmt.Errorf("write %s: %w", p.path(), err)
	}
	return p, nil
}

func (p *proof) path() string { return filepath.Join(p.dir.Path, p.dir.File) }

// remove removes the file. A nil *proof is none.
func (p *proof) remove() {
	if p != nil {
		os.Remove(p.path())
	}
}
