package guest

import (
	"io"
	"sync"
)

// A queue writes frames in order without holding up who puts them in. It is bounded by what a
// node runs for one guest at a time: a start, a halt and an end for each.
type queue struct {
	w io.Writer

	mu     sync.Mutex
	some   sync.Cond
	frames []frame
	closed bool
}

func newQueue(w io.Writer) *queue {
	q := &queue{w: w}
	q.some.L = &q.mu
	return q
}

func (q *queue) put(f frame) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.closed {
		q.frames = append(q.frames, f)
		q.some.Signal()
	}
}

func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.some.Signal()
}

// run writes until close or an error, after which nothing is kept any more.
func (q *queue) run() {
	defer q.close()
	var buf []byte
	for {
		q.mu.Lock()
		for len(q.frames) == 0 && !q.closed {
			q.some.Wait()
		}
		if q.closed {
			q.frames = nil
			q.mu.Unlock()
			return
		}
		buf = buf[:0]
		for k := range q.frames {
			buf = q.frames[k].append(buf)
		}
		q.frames = q.frames[:0]
		q.mu.Unlock()
		if _, err := q.w.Write(buf); err != nil {
			return
		}
	}
}
