package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/filchsched/filch/cmd/filch/parallel"
)

// A joblog is the file of --joblog. A nil *joblog is none. It is safe for
// concurrent use. Each line is written at once and as a whole, so that what has ended is
// known whatever happens to us.
type joblog struct {
	mu   sync.Mutex
	file *os.File
	done parallel.Finished // with --resume: what the log had
	line []byte
}

// openJoblog opens the log at path; as with parallel, "+path" is to add to it. With resume what
// it has is read, and added to.
func openJoblog(path string, resume bool) (*joblog, error) {
	if path == "" {
		return nil, nil
	}
	name, add := strings.CutPrefix(path, "+")
	flags := os.O_RDWR | os.O_CREATE
	if !add && !resume {
		flags |= os.O_TRUNC
	}
	f, err := os.OpenFile(name, flags, 0o666)
	if err != nil {
		return nil, fmt.Errorf("cannot open the job log: %w", err)
	}
	l := &joblog{file: f}
	if err := l.begin(resume); err != nil {
		f.Close()
		return nil, fmt.Errorf("cannot continue the job log %s: %w", name, err)
	}
	return l, nil
}

// begin reads what the log has, cuts off a line that was torn when its writer was killed, and writes the header if
// there is none.
func (l *joblog) begin(resume bool) error {
	info, err := l.file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		if err == nil && resume {
			err = errors.New("it is not a file that can be read again")
		}
		if err == nil {
			_, err = io.WriteString(l.file, parallel.JoblogHeader)
		}
		return err
	}
	whole, err := parallel.ReadJoblog(l.file, func(e parallel.Entry) {
		if resume {
			l.done.Add(e)
		}
	})
	if err != nil {
		return err
	}
	if err := l.file.Truncate(whole); err != nil {
		return err
	}
	if _, err := l.file.Seek(whole, io.SeekStart); err != nil || whole > 0 {
		return err
	}
	_, err = io.WriteString(l.file, parallel.JoblogHeader)
	return err
}

// has reports whether a task with this command is in the log that is resumed.
func (l *joblog) has(seq uint64, command string) bool {
	return l != nil && l.done.Has(seq, command) // not changed after begin
}

// add writes an entry.
func (l *joblog) add(e parallel.Entry) error {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.line = e.AppendTo(l.line[:0])
	if _, err := l.file.Write(l.line); err != nil {
		return fmt.Errorf("cannot write the job log: %w", err)
	}
	return nil
}

// close closes the file.
func (l *joblog) close() error {
	if l == nil {
		return nil
	}
	return l.file.Close()
}
