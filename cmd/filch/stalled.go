package main

import (
	"context"
	"io"
	"os"
	"sync"
)

// A stallable writes to a pipe or terminal whose reader may stop reading, and gives up
// when the run is abandoned: a run can be ended although nobody takes its output. What
// remains is a goroutine in the kernel, until the process ends or the reader goes on.
// It is safe for concurrent use.
type stallable struct {
	abandoned context.Context
	w         io.Writer

	mu      sync.Mutex // held during a write
	copied  []byte     // of the caller's, who may use it again after we gave up
	work    chan []byte
	written chan written
}

type written struct {
	n   int
	err error
}

// untilAbandoned returns a writer to w, which goes to file, that gives up when the run is abandoned. A
// file on a disk does not stall.
func (s *stopper) untilAbandoned(w io.Writer, file *os.File) io.Writer {
	if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
		return w
	}
	return &stallable{abandoned: s.write, w: w}
}

func (s *stallable) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.abandoned.Err() != nil {
		return 0, context.Cause(s.abandoned)
	}
	if s.work == nil {
		s.work = make(chan []byte)
		s.written = make(chan written, 1)
		go s.write()
	}
	s.copied = append(s.copied[:0], p...)
	s.work <- s.copied // the goroutine is idle: nobody comes here after we gave up once
	select {
	case r := <-s.written:
		return r.n, r.err
	case <-s.abandoned.Done():
		return 0, context.Cause(s.abandoned)
	}
}

func (s *stallable) write() {
	for p := range s.work {
		n, err := s.w.Write(p)
		s.written <- written{n, err}
	}
}
