package stealnet

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/steal"
	"github.com/filchsched/filch/steal/core"
)

// A ward watches over what must not be, for all processes together.
type ward struct {
	mu     sync.Mutex
	runs   map[uint64]int // commands that run now, by index
	broken []string
	starts int
}

func (w *ward) breaks(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.broken = append(w.broken, fmt.Sprintf(format, args...))
}

func (w *ward) start(i uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.starts++
	if w.runs[i]++; w.runs[i] > 1 {
		w.broken = append(w.broken, fmt.Sprintf("command %d runs twice at the same time", i))
	}
}

func (w *ward) stop(i uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.runs[i]--
}

// An executor runs functions, which answer with their argument, and "commands", which take their time, print and
// die with their leash.
type executor struct {
	id    core.PeerID
	ward  *ward
	clock func() time.Duration
	mu    sync.Mutex
	runs  map[core.Piece]*running
	until map[uint64]time.Duration
	all   sync.WaitGroup
}

type running struct {
	key  uint64
	halt chan struct{}
	once sync.Once
}

func (x *executor) Wants(core.JobID) bool { return true }

func (x *executor) Start(r steal.Run, end func(steal.End)) {
	run := &running{key: r.Leash, halt: make(chan struct{})}
	x.mu.Lock()
	x.runs[r.Piece] = run
	x.mu.Unlock()
	x.all.Go(func() {
		e := x.execute(r, run)
		x.mu.Lock()
		delete(x.runs, r.Piece)
		x.mu.Unlock()
		end(e)
	})
}

func (x *executor) execute(r steal.Run, run *running) steal.End {
	e := steal.End{Finished: core.Finished{Piece: r.Piece, State: task.Done}}
	begun := x.clock()
	for k, b := range r.Bodies {
		i := r.Piece.Lo + uint64(k)
		if binary.BigEndian.Uint64(b) != i {
			x.ward.breaks("task %d was given %x", i, b)
		}
		if r.Terms.Kind == task.KindFunc {
			time.Sleep(2 * time.Millisecond)
			e.Values = append(e.Values, append(bytes.Clone(r.Header), b...))
			continue
		}
		x.ward.start(i)
		killed := x.last(run, 300*time.Millisecond)
		x.ward.stop(i)
		if killed {
			e.State = task.Cancelled
			return e
		}
		e.Outputs = append(e.Outputs, steal.Output{Index: i, Name: 1, Data: blob(printed(i))})
	}
	e.Ran = x.clock() - begun
	return e
}

// last lets a command take its time, unless it is halted or its leash ends.
func (x *executor) last(run *running, takes time.Duration) (killed bool) {
	done := time.NewTimer(takes)
	defer done.Stop()
	for {
		left := takes
		if run.key != 0 {
			x.mu.Lock()
			left = x.until[run.key] - x.clock()
			x.mu.Unlock()
			if left <= 0 {
				return true
			}
		}
		leash := time.NewTimer(left)
		select {
		case <-done.C:
			leash.Stop()
			return false
		case <-run.halt:
			leash.Stop()
			return true
		case <-leash.C: // perhaps it was moved
		}
	}
}

func printed(i uint64) []byte { return bytes.Repeat([]byte{byte(i)}, int(i%7)*40_000+1) }

func (x *executor) Halt(p core.Piece) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if run := x.runs[p]; run != nil {
		run.once.Do(func() { close(run.halt) })
	}
}

// killAll ends what runs.
func (x *executor) killAll() {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, run := range x.runs {
		run.once.Do(func() { close(run.halt) })
	}
}

func (x *executor) Leash(key uint64, until time.Duration) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.until[key] = until
}

type blob []byte

func (b blob) Len() int64        { return int64(len(b)) }
func (b blob) Reader() io.Reader { return bytes.NewReader(b) }
func (blob) Close() error        { return nil }

// A home checks each outcome and counts it.
type home struct {
	ward      *ward
	mu        sync.Mutex
	committed map[core.JobID]map[uint64]bool
	hosts     map[core.PeerID]int
	left      int
	done      chan struct{}
}

func (h *home) Header(core.JobID) ([]byte, error) { return []byte("header"), nil }
func (h *home) Body(b []byte, _ core.JobID, i uint64) ([]byte, error) {
	return binary.BigEndian.AppendUint64(b, i), nil
}

func (h *home) Committed(c core.Commit, outputs []steal.Output) {
	h.mu.Lock()
	defer h.mu.Unlock()
	of := h.committed[c.Piece.Job]
	if of == nil {
		of = make(map[uint64]bool)
		h.committed[c.Piece.Job] = of
	}
	if c.State != task.Done {
		h.ward.breaks("%v ended as %v: %s", c.Piece, c.State, c.Reason)
	}
	seen := make(map[uint64][]byte)
	for _, o := range outputs {
		b, err := io.ReadAll(o.Data.Reader())
		if err != nil {
			h.ward.breaks("the output of command %d: %v", o.Index, err)
		}
		seen[o.Index] = b
		o.Data.Close()
	}
	for i := c.Piece.Lo; i < c.Piece.Hi; i++ {
		if of[i] {
			h.ward.breaks("task %d is committed twice", i)
		}
		of[i] = true
		h.hosts[c.Host]++
		if h.left--; h.left == 0 {
			close(h.done)
		}
		if len(c.Values) > 0 {
			if want := "header" + string(binary.BigEndian.AppendUint64(nil, i)); string(c.Values[i-c.Piece.Lo]) != want {
				h.ward.breaks("task %d has the result %q", i, c.Values[i-c.Piece.Lo])
			}
		} else if !bytes.Equal(seen[i], printed(i)) {
			h.ward.breaks("command %d printed %d bytes, not %d: %d outputs came for %+v", i, len(seen[i]), len(printed(i)), len(outputs), c)
		}
	}
}

func (h *home) Told(core.Effect) {}
