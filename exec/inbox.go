package exec

import (
	"context"
	"slices"
	"sync"

	"github.com/filchsched/filch/exec/task"
)

// inboxPlace is the inbox's place in the presence of its job.
const inboxPlace = 0

// A chunk is where the arguments of a run of tasks are; what is common to all
// of them. The functions are set once by who makes the chunk and know its
// full type.
type chunk struct {
	// run runs task i of the chunk on c.
	run func(c *Ctx, h *chunk, i int64)
	// ended says that n tasks of the chunk are over or dropped.
	ended func(h *chunk, n int64)
	// dropped lets go of the arguments of tasks that a cancel has dropped;
	// nil where there is nothing to let go of.
	dropped func(h *chunk, p piece)
	needs   task.Resources
}

// A piece is tasks lo to hi (exclusive) of a chunk.
type piece struct {
	chunk  *chunk
	lo, hi int64
}

func (p piece) len() int64 { return p.hi - p.lo }

// drop ends the tasks of p without running them.
func (h *chunk) drop(p piece) {
	if h.dropped != nil {
		h.dropped(h, p)
	}
	h.ended(h, p.len())
}

// An inbox is where a job's work waits that is on no deque: pieces that were
// submitted, and stacks that can go on. It is bounded: Submit waits for room.
type inbox struct {
	mu      sync.Mutex
	pieces  fifo[piece]
	ready   fifo[*Ctx] // stacks that can go on; before all pieces
	queued  int64      // tasks in pieces
	limit   int64
	waiting []chan struct{} // submitters that wait for room
	closed  bool            // nothing more is submitted from outside
	refuse  bool            // cancelled
	stalled bool            // pieces wait for the reservation or for memory
	piece   bool            // the next to be taken is a piece, whatever is ready
	over    bool            // done was closed
}

func (in *inbox) init(limit int) { in.limit = int64(limit) }

// arrived is called under mu after something was put in. It reports whether
// the job must be announced, after mu is released.
func (j *Job) arrived() bool {
	return j.in.offers() && !j.present.Marked(inboxPlace) && j.present.Mark(inboxPlace)
}

// left is called under mu after something was taken out.
func (j *Job) left() {
	if !j.in.offers() {
		j.present.Clear(inboxPlace)
	}
}

// offers reports whether there is something that a worker can take. Stacks can
// always go on, whatever the pieces wait for: they may hold just that.
func (in *inbox) offers() bool { return in.ready.len() > 0 || in.hasPieces() }

func (in *inbox) hasPieces() bool { return in.queued > 0 && !in.stalled }

// pieceFirst lets a piece go before the stacks that can go on, once, and reports
// whether there is any.
func (j *Job) pieceFirst() bool {
	if !j.present.Marked(inboxPlace) {
		return false
	}
	j.in.mu.Lock()
	defer j.in.mu.Unlock()
	j.in.piece = j.in.hasPieces()
	return j.in.piece
}

// pushReady queues a stack that can go on.
func (j *Job) pushReady(c *Ctx) {
	j.in.mu.Lock()
	j.in.ready.push(c)
	announce := j.arrived()
	j.in.mu.Unlock()
	if announce {
		j.e.announce(j)
	}
}

// putBack returns what is left of a piece to the head of the queue.
func (j *Job) putBack(p piece) {
	if p.len() == 0 {
		return
	}
	j.in.mu.Lock()
	if j.in.refuse {
		j.in.mu.Unlock()
		p.chunk.drop(p)
		return
	}
	j.in.pieces.unshift(p)
	j.in.queued += p.len()
	announce := j.arrived()
	j.in.mu.Unlock()
	if announce {
		j.e.announce(j)
	}
}

// takeFrom takes what a worker should do next from the inbox: a stack that can
// go on, or a piece of at most most tasks, which becomes a unit under way.
func (j *Job) takeFrom(share int64, most int64) (c *Ctx, p piece) {
	if !j.present.Marked(inboxPlace) {
		return nil, p
	}
	in := &j.in
	in.mu.Lock()
	defer in.mu.Unlock()
	skip := in.piece && in.hasPieces()
	in.piece = false
	if in.ready.len() > 0 && !skip {
		c = in.ready.shift()
		j.left()
		return c, p
	}
	if !in.offers() {
		j.left() // cancelled, or stalled
		return nil, p
	}
	first := in.pieces.first()
	n := min(most, max(1, in.queued/share), first.len())
	if first.chunk.needs != (task.Resources{}) {
		n = 1 // each is admitted by itself
	}
	p = piece{first.chunk, first.lo, first.lo + n}
	first.lo += n
	if first.lo == first.hi {
		in.pieces.shift()
	}
	in.queued -= n
	j.units.Add(1)
	j.left()
	if len(in.waiting) > 0 && in.queued <= in.limit/2 {
		in.wakeSubmitters()
	}
	return nil, p
}

// drain takes everything out and refuses what comes later.
func (in *inbox) drain() []piece {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.refuse = true
	var all []piece
	for in.pieces.len() > 0 {
		all = append(all, in.pieces.shift())
	}
	in.queued = 0
	in.wakeSubmitters()
	return all
}

func (in *inbox) wakeSubmitters() {
	for _, c := range in.waiting {
		close(c)
	}
	in.waiting = nil
}

// room waits until the inbox has room and returns nil with mu held. Otherwise
// it returns an error and mu is not held. Tasks of the job always find room: who
// empties the inbox must not wait for it.
func (j *Job) room(ctx context.Context) error {
	in := &j.in
	in.mu.Lock()
	for {
		switch {
		case in.refuse:
			in.mu.Unlock()
			return context.Cause(j.ctx)
		case (in.closed || in.queued >= in.limit) && insideOf(ctx, j) != nil:
			return nil
		case in.closed:
			in.mu.Unlock()
			return ErrJobClosed
		case in.queued < in.limit:
			return nil
		}
		c := make(chan struct{})
		in.waiting = append(in.waiting, c)
		in.mu.Unlock()
		select {
		case <-c:
		case <-ctx.Done():
			in.mu.Lock()
			in.waiting = slices.DeleteFunc(in.waiting, func(x chan struct{}) bool { return x == c })
			in.mu.Unlock()
			return context.Cause(ctx)
		}
		in.mu.Lock()
	}
}

// A fifo is a queue that reuses its memory.
type fifo[T any] struct {
	items []T
	head  int
}

func (f *fifo[T]) len() int  { return len(f.items) - f.head }
func (f *fifo[T]) first() *T { return &f.items[f.head] }

// newest returns the last item to come, or nil.
func (f *fifo[T]) newest() *T {
	if f.len() == 0 {
		return nil
	}
	return &f.items[len(f.items)-1]
}

func (f *fifo[T]) push(x T) {
	if f.head > 0 && len(f.items) == cap(f.items) && f.head >= len(f.items)/2 {
		n := copy(f.items, f.items[f.head:])
		clear(f.items[n:])
		f.items = f.items[:n]
		f.head = 0
	}
	f.items = append(f.items, x)
}

func (f *fifo[T]) shift() T {
	x := f.items[f.head]
	var none T
	f.items[f.head] = none
	if f.head++; f.head == len(f.items) {
		f.items = f.items[:0]
		f.head = 0
	}
	return x
}

// unshift puts x at the head.
func (f *fifo[T]) unshift(x T) {
	if f.head > 0 {
		f.head--
		f.items[f.head] = x
		return
	}
	f.push(x)
	copy(f.items[1:], f.items)
	f.items[0] = x
}
