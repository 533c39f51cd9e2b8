package deque

// pad keeps the words that thieves write away from the words that the owner
// writes. 128 bytes, not 64: the adjacent-line prefetcher pulls pairs of
// lines, which is why sync.Pool pads to 128 as well.
const pad = 128

// A Deque is a bounded work-stealing deque of *T. One goroutine, the owner,
// calls Push, Pop, and Len; any goroutine may call Steal, Oldest, StealAt and Empty.
// The zero Deque is empty and has no ring yet: the first Push makes it, so
// that stacks which never spawn cost no ring.
type Deque[T any] struct {
	// The owner's words come first, beside what else the owner writes in a
	// struct that ends in a Deque.
	bottom index // published end; the owner stores, thieves load
	end    int64 // the owner's own end; bottom may lag behind it while the deque is empty
	ring   ring[T]
	_      [pad]byte
	top    index // next index to steal; thieves and, for the last element, the owner advance it by CAS
	_      [pad]byte
}

// Push adds x at the owner's end and reports whether there was room. It
// performs one locked instruction, the store that publishes x.
func (d *Deque[T]) Push(x *T) bool {
	s := d.ring.slot(d.end)
	if s == nil {
		s = d.ring.grow(d.end)
	}
	// A slot that a thief has claimed and not yet handed back counts as
	// full: the owner never waits for a thief.
	if !s.free() {
		return false
	}
	s.put(x)
	d.end++
	d.bottom.Store(d.end)
	return true
}

// Pop takes the newest element, or returns nil when there is none. It performs
// one locked instruction, the store that announces the intent, and a second
// one only for the last element.
func (d *Deque[T]) Pop() *T {
	b := d.end - 1
	if d.top.Load() > b {
		return nil // empty for certain: top only grows
	}
	d.bottom.Store(b)
	t := d.top.Load()
	if t < b {
		// At least one older element lies between the thieves and this
		// one, so none of them can reach it: they read bottom after top.
		d.end = b
		return d.ring.slot(b).takeOwn()
	}
	// One element or none. Either way the deque is empty afterwards and
	// its next index is b+1. bottom stays one short, which reads as empty
	// as well and saves the store: the next Push sets it.
	if t > b || !d.top.CompareAndSwap(t, t+1) {
		return nil
	}
	return d.ring.slot(b).takeOwn()
}

// Steal takes the oldest element. It returns nil with retry false when the
// deque was empty, and nil with retry true when another thief or the owner got
// the element first.
func (d *Deque[T]) Steal() (x *T, retry bool) {
	t := d.top.Load()
	if t >= d.bottom.Load() {
		return nil, false
	}
	// Claim, then read. Reading first, as Chase and Lev do, races with an
	// owner that has wrapped around; here the slot stays closed to the
	// owner until release hands it back.
	if !d.top.CompareAndSwap(t, t+1) {
		return nil, true
	}
	s := d.ring.slot(t)
	x = s.take()
	s.release()
	return x, false
}

// Oldest returns the index of the oldest element, and whether there was any at some
// moment of the call. An index that was once the oldest is that of one element only:
// StealAt with it takes that one or nothing.
func (d *Deque[T]) Oldest() (index int64, ok bool) {
	for {
		t := d.top.Load()
		ok = t < d.bottom.Load()
		if d.top.Load() == t {
			return t, ok
		}
		// Taken meanwhile; bottom may be that of an element that came later.
	}
}

// StealAt takes the element of an index if that is the oldest. It returns nil
// when it is not, or not any more. Any goroutine may call it.
func (d *Deque[T]) StealAt(index int64) *T {
	t := d.top.Load()
	if t != index || t >= d.bottom.Load() || !d.top.CompareAndSwap(t, t+1) {
		return nil
	}
	s := d.ring.slot(t)
	x := s.take()
	s.release()
	return x
}

// Empty reports whether the deque held nothing at some moment of the call.
func (d *Deque[T]) Empty() bool {
	t := d.top.Load()
	return t >= d.bottom.Load()
}

// Len returns the owner's count of elements; thieves may be taking some.
// Only the owner may call it.
func (d *Deque[T]) Len() int { return int(max(0, d.end-d.top.Load())) }
