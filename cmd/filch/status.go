package main

import (
	"io"
	"os"
	"sync"
	"time"

	"github.com/filchsched/filch/cmd/filch/parallel"
)

// A status keeps one line on the terminal that says how far the run is, and
// keeps it out of the way of what is printed. A nil *status is none. It is safe for
// concurrent use.
type status struct {
	terminal *os.File
	bar      bool
	begun    time.Time
	stop     chan struct{}
	stopped  chan struct{}

	mu    sync.Mutex
	now   parallel.Progress
	shown bool // the line is on the screen
}

// statusPeriod is how often the line is drawn: enough to look alive.
const statusPeriod = 200 * time.Millisecond

// clearLine goes to the start of the line and erases it.
const clearLine = "\r\x1b[K"

// newStatus starts to draw on a terminal. close must be called.
func newStatus(terminal *os.File, bar bool) *status {
	s := &status{terminal: terminal, bar: bar, begun: time.Now(), stop: make(chan struct{}), stopped: make(chan struct{})}
	go s.draw()
	return s
}

func (s *status) draw() {
	defer close(s.stopped)
	tick := time.NewTicker(statusPeriod)
	defer tick.Stop()
	for {
		s.update(func(*parallel.Progress) {}, true)
		select {
		case <-tick.C:
		case <-s.stop:
			s.update(func(*parallel.Progress) {}, true)
			s.mu.Lock()
			io.WriteString(s.terminal, "\n") // the last state stays on the screen
			s.shown = false
			s.mu.Unlock()
			return
		}
	}
}

// update changes the state, and draws it if asked.
func (s *status) update(change func(*parallel.Progress), show bool) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.now)
	if !show {
		return
	}
	s.now.Elapsed = time.Since(s.begun)
	io.WriteString(s.terminal, clearLine+s.now.Line(terminalWidth(s.terminal)-1, s.bar))
	s.shown = true
}

func (s *status) started() { s.update(func(p *parallel.Progress) { p.Running++ }, false) }

// ended counts a task that ran; one that was given up counts for nothing.
func (s *status) ended(failed, counts bool) {
	s.update(func(p *parallel.Progress) {
		p.Running--
		if counts {
			p.Done++
		}
		if failed {
			p.Failed++
		}
	}, false)
}

func (s *status) skipped() { s.update(func(p *parallel.Progress) { p.Done++ }, false) }

func (s *status) total(n int64) { s.update(func(p *parallel.Progress) { p.Total = n }, false) }

// close draws the line for the last time.
func (s *status) close() {
	if s == nil {
		return
	}
	close(s.stop)
	<-s.stopped
}

// beside returns a writer to w that takes the line off the screen first. The next
// tick brings it back.
func (s *status) beside(w io.Writer) io.Writer {
	if s == nil {
		return w
	}
	return besideStatus{s, w}
}

type besideStatus struct {
	s *status
	w io.Writer
}

func (b besideStatus) Write(p []byte) (int, error) {
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	if b.s.shown {
		io.WriteString(b.s.terminal, clearLine)
		b.s.shown = false
	}
	return b.w.Write(p)
}
