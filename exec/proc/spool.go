package proc

import (
	"fmt"
	"os"
)

// spillPattern names spill files on systems where they must have a name for a moment.
const spillPattern = "filch-output-"

// A spool takes one output stream of a running command: in memory up to a
// limit, then in an unlinked file. It never fails and never blocks on anything
// but the disk: a command whose output cannot be kept must still be able to
// end. What could not be kept is counted, and the Capture says so.
//
// A spool belongs to one goroutine at a time.
type spool struct {
	limit  int64                    // bytes to keep in memory
	create func() (*os.File, error) // makes the spill file

	mem  []byte
	file *os.File // not nil: everything is in there, mem is nil
	kept int64
	lost int64 // bytes that came after err
	err  error // the first failure to keep something
}

// Write keeps a copy of p. Its error is always nil.
func (s *spool) Write(p []byte) (int, error) {
	switch {
	case s.err != nil:
		s.lost += int64(len(p))
	case s.file == nil && s.kept+int64(len(p)) <= s.limit:
		s.mem = append(s.mem, p...)
		s.kept += int64(len(p))
	case s.file != nil || s.spill():
		s.writeFile(p)
	default:
		s.lost += int64(len(p))
	}
	return len(p), nil
}

// spill moves what is in memory to a new file and reports whether that worked.
// If not, memory stays as it is.
func (s *spool) spill() bool {
	f, err := s.create()
	if err != nil {
		s.err = err
		return false
	}
	if _, err := f.Write(s.mem); err != nil {
		s.err = err
		closeSpill(f)
		return false
	}
	s.file, s.mem = f, nil
	return true
}

func (s *spool) writeFile(p []byte) {
	n, err := s.file.Write(p)
	s.kept += int64(n)
	if err != nil {
		s.err = err
		s.lost += int64(len(p) - n)
	}
}

// capture hands over what was kept. The spool is done with.
func (s *spool) capture() *Capture {
	return &Capture{mem: s.mem, file: s.file, size: s.kept, err: s.failure()}
}

// failure is nil if everything was kept.
func (s *spool) failure() error {
	if s.err == nil {
		return nil
	}
	return &Failure{
		Op:  fmt.Sprintf("cannot keep a command's output, its last %d bytes are lost (free some space, or set TMPDIR to a roomier disk)", s.lost),
		Err: s.err,
	}
}
