package node

import (
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"io"
	"os"
	"sync"
)

// buildIDLen is how many hex digits name a build: enough that no two of one cluster share them.
const buildIDLen = 12

// buildID names the build of the running program: a hash of the build ID that Go's linker leaves in it, or
// of all of the file. Two builds of the same source by the same toolchain have the same.
var buildID = sync.OnceValue(func() string {
	path, err := os.Executable()
	if err != nil {
		return "unknown"
	}
	h := sha256.New()
	if id := goBuildID(path); id != nil {
		h.Write(id)
	} else if f, err := os.Open(path); err == nil {
		_, err = io.Copy(h, f)
		f.Close()
		if err != nil {
			return "unknown"
		}
	} else {
		return "unknown"
	}
	return hex.EncodeToString(h.Sum(nil))[:buildIDLen]
})

// goBuildID is the linker's note; nil if there is none.
func goBuildID(path string) []byte {
	f, err := elf.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	s := f.Section(".note.go.buildid")
	if s == nil || s.Size > 1<<12 {
		return nil
	}
	b, err := s.Data()
	if err != nil || len(b) == 0 {
		return nil
	}
	return b
}
