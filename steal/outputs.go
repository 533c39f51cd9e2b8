package steal

import (
	"io"
	"os"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/filchsched/filch/steal/core"
)

// An outputKey names the outputs of a task under one attempt.
type outputKey struct {
	job     core.JobID
	index   uint64
	attempt core.Attempt
}

// outputs keeps long outputs until home has them, or whoever granted the task. An output that is being
// sent is kept until that is over.
type outputs struct {
	mu    sync.Mutex
	of    map[outputKey][]*kept
	size  int64        // of those, and of what is arriving
	n     atomic.Int64 // of keys, for a look without the lock
	ended bool
}

// A kept output is closed when nobody needs it any more.
type kept struct {
	Output
	users int // guarded by outputs.mu
	came  int // how often, without a settle for it; guarded by outputs.mu
}

func newOutputs() *outputs { return &outputs{of: make(map[outputKey][]*kept)} }

func (o *outputs) any() bool { return o.n.Load() > 0 }

// put keeps an output, which is ours from now on, until take, drop, or as many calls of settle.
func (o *outputs) put(k outputKey, x Output) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if again := slices.IndexFunc(o.of[k], func(old *kept) bool { return old.Name == x.Name }); again >= 0 { // the first is as good
		o.of[k][again].came++
		x.Data.Close()
		return
	}
	if o.ended {
		x.Data.Close()
		return
	}
	o.of[k] = append(o.of[k], &kept{x, 1, 1})
	o.size += x.Data.Len()
	o.n.Store(int64(len(o.of)))
}

// book makes room for n bytes that arrive; false: there is none.
func (o *outputs) book(n int) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.size > maxOutputs {
		return false
	}
	o.size += int64(n)
	return true
}

// unbook gives back room for what arrived and is either put now, or lost.
func (o *outputs) unbook(n int64) {
	o.mu.Lock()
	o.size -= n
	o.mu.Unlock()
}

// take gives the outputs of a task away.
func (o *outputs) take(k outputKey) (all []Output) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, x := range o.of[k] {
		o.size -= x.Data.Len()
		all = append(all, x.Output)
	}
	delete(o.of, k)
	o.n.Store(int64(len(o.of)))
	return all
}

// borrow returns the outputs of a task for sending; each is to be given back.
func (o *outputs) borrow(k outputKey) []*kept {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, x := range o.of[k] {
		x.users++
	}
	return append([]*kept(nil), o.of[k]...)
}

func (o *outputs) giveBack(x *kept) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.unuse(x)
}

func (o *outputs) unuse(x *kept) {
	if x.users--; x.users == 0 {
		x.Data.Close()
	}
}

// settle is the end of one report with outputs of a piece that nobody wanted. Those that came with another
// report, too, stay for it: an outcome is told again when a channel begins anew, and the first may be of
// no use any more while the second still waits.
func (o *outputs) settle(p core.Piece) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.each(p, func(k outputKey) {
		left := slices.DeleteFunc(o.of[k], func(x *kept) bool {
			if x.came--; x.came > 0 {
				return false
			}
			o.size -= x.Data.Len()
			o.unuse(x)
			return true
		})
		if o.of[k] = left; len(left) == 0 {
			delete(o.of, k)
		}
	})
}

// drop forgets the outputs of a piece.
func (o *outputs) drop(p core.Piece) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.each(p, func(k outputKey) {
		for _, x := range o.of[k] {
			o.size -= x.Data.Len()
			o.unuse(x)
		}
		delete(o.of, k)
	})
}

// each calls f with the keys of a piece, whose span is a peer's word and may be of any length.
func (o *outputs) each(p core.Piece, f func(outputKey)) {
	if p.Len() > uint64(len(o.of)) {
		for k := range o.of {
			if k.job == p.Job && k.attempt == p.Attempt && p.Lo <= k.index && k.index < p.Hi {
				f(k)
			}
		}
	} else {
		for i := p.Lo; i < p.Hi; i++ {
			f(outputKey{p.Job, i, p.Attempt})
		}
	}
	o.n.Store(int64(len(o.of)))
}

// end closes everything, and what is put afterwards.
func (o *outputs) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ended = true
	for _, all := range o.of {
		for _, x := range all {
			o.unuse(x)
		}
	}
	clear(o.of)
	o.n.Store(0)
}

// A spill is an output that is arriving: in memory first, then in a file without a name.
type spill struct {
	mem  []byte
	file *os.File
	n    int64
	lost error // why it is not here, but counted only; Reader returns it
}

func (s *spill) write(b []byte) error {
	s.n += int64(len(b))
	if s.lost != nil {
		return nil
	}
	if s.file == nil && len(s.mem)+len(b) <= spillAfter {
		s.mem = append(s.mem, b...)
		return nil
	}
	if s.file == nil {
		f, err := os.CreateTemp("", "filch-output-")
		if err != nil {
			return err
		}
		os.Remove(f.Name()) // it lives as long as it is open; where that cannot be, Close removes it
		s.file = f
		if _, err := f.Write(s.mem); err != nil {
			return err
		}
		s.mem = nil
	}
	_, err := s.file.Write(b)
	return err
}

// lose gives up what has arrived, and what still comes, for a reason that whoever reads it gets.
func (s *spill) lose(why error) {
	s.Close()
	s.mem, s.file, s.lost = nil, nil, why
}

// Len implements Blob.
func (s *spill) Len() int64 { return s.n }

// Reader implements Blob.
func (s *spill) Reader() io.Reader {
	if s.lost != nil {
		return lostOutput{s.lost}
	}
	if s.file == nil {
		return memory(s.mem).Reader()
	}
	return io.NewSectionReader(s.file, 0, s.n)
}

// Close implements Blob.
func (s *spill) Close() error {
	if s.file == nil {
		return nil
	}
	name := s.file.Name()
	err := s.file.Close()
	os.Remove(name)
	return err
}

// A lostOutput is the reader of an output that could not be kept.
type lostOutput struct{ why error }

func (l lostOutput) Read([]byte) (int, error) { return 0, l.why }
