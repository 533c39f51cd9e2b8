package parallel

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
)

const (
	// maxRecord bounds one value. Linux lets no argument exceed 128 KiB, so a longer
	// record is a mistake, such as a missing -0; the limit is far above that so that the
	// mistake is reported by the task it concerns and other rows still run.
	maxRecord = 64 << 20
	// readBuffer is what is read of a file at once.
	readBuffer = 64 << 10
)

// values is an open source. next returns io.EOF after the last value.
type values interface {
	next() (string, error)
	io.Closer
}

// A list is a source of values from the command line.
type list struct{ rest []string }

func (l *list) next() (string, error) {
	if len(l.rest) == 0 {
		return "", io.EOF
	}
	v := l.rest[0]
	l.rest = l.rest[1:]
	return v, nil
}

func (l *list) Close() error { return nil }

// records is a source of separated values from a file. The separator is removed,
// and nothing else: a carriage return before a newline stays. The last record needs
// no separator.
type records struct {
	name   string
	r      *bufio.Reader
	file   io.Closer // nil: not ours to close
	sep    byte
	number int // of the record that is read, from 1, for errors
	limit  int // bytes in a record
}

func newRecords(name string, r io.Reader, c io.Closer, sep byte) *records {
	return &records{name: name, r: bufio.NewReaderSize(r, readBuffer), file: c, sep: sep, limit: maxRecord}
}

func (s *records) next() (string, error) {
	record, _, err := s.line()
	return record, err
}

// line is next, and reports whether the separator was there.
func (s *records) line() (record string, terminated bool, err error) {
	s.number++
	chunk, err := s.r.ReadSlice(s.sep)
	if err == nil && len(chunk) <= s.limit {
		return string(chunk[:len(chunk)-1]), true, nil
	}
	return s.finish(chunk, err)
}

// finish reads the rest of a record of which chunk is the start: one longer than the buffer,
// or the last.
func (s *records) finish(chunk []byte, err error) (record string, terminated bool, _ error) {
	var long []byte
	for errors.Is(err, bufio.ErrBufferFull) && len(long) <= s.limit {
		long = append(long, chunk...)
		chunk, err = s.r.ReadSlice(s.sep)
	}
	long = append(long, chunk...)
	switch {
	case err == nil:
		long = long[:len(long)-1]
	case err == io.EOF && len(long) == 0:
		return "", false, io.EOF
	case err != io.EOF && !errors.Is(err, bufio.ErrBufferFull):
		return "", false, fmt.Errorf("cannot read %s after record %d: %w", s.name, s.number-1, err)
	}
	if len(long) > s.limit {
		return "", false, fmt.Errorf("record %d of %s is longer than %d bytes: check the separator (newline, or NUL with -0)", s.number, s.name, s.limit)
	}
	return string(long), err == nil, nil
}

func (s *records) Close() error {
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}

// openFile opens a file of records.
func openFile(path string, sep byte) (*records, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("cannot open the input file %q: %w", path, reason(err))
	}
	if info, err := f.Stat(); err == nil && info.IsDir() {
		f.Close()
		return nil, fmt.Errorf("cannot read the input file %q: it is a directory", path)
	}
	return newRecords(fmt.Sprintf("%q", path), f, f, sep), nil
}

// reason strips the operation and path that os repeats.
func reason(err error) error {
	var pe *os.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

// blank reports that a value is nothing but white space.
func blank(v string) bool { return len(bytes.TrimSpace([]byte(v))) == 0 }
