package stepper

// Pointer stands for atomic.Pointer. Its zero value is nil.
type Pointer[T any] struct {
	variable
	p *T
}

// Load returns the value.
func (x *Pointer[T]) Load() *T {
	t := x.begin(load)
	t.acquire(&x.variable)
	if t.tracing() {
		t.note(&x.variable, "Load() = %s", t.x.pointer(x.p))
	}
	return x.p
}

// Store sets the value.
func (x *Pointer[T]) Store(p *T) {
	t := x.begin(store)
	x.p = p
	t.release(&x.variable)
	if t.tracing() {
		t.note(&x.variable, "Store(%s)", t.x.pointer(p))
	}
}

// Swap sets the value and returns the old one.
func (x *Pointer[T]) Swap(p *T) (old *T) {
	t := x.begin(update)
	old, x.p = x.p, p
	t.acquire(&x.variable)
	t.release(&x.variable)
	if t.tracing() {
		t.note(&x.variable, "Swap(%s) = %s", t.x.pointer(p), t.x.pointer(old))
	}
	return old
}

// CompareAndSwap sets the value to new if it is old.
func (x *Pointer[T]) CompareAndSwap(old, new *T) (swapped bool) {
	t := x.begin(update)
	t.acquire(&x.variable)
	if swapped = x.p == old; swapped {
		x.p = new
		t.release(&x.variable)
	}
	if t.tracing() {
		t.note(&x.variable, "CompareAndSwap(%s, %s) = %v", t.x.pointer(old), t.x.pointer(new), swapped)
	}
	return swapped
}

// Mixed is a pointer that some accesses to are atomic and others plain, as if
// by atomic.LoadPointer here and an assignment there. Plain accesses are no
// steps; the run fails if they race.
type Mixed[T any] struct {
	variable
	hazard
	p *T
}

// Load returns the value, atomically.
func (x *Mixed[T]) Load() *T {
	t := x.begin(load)
	x.atomicRead(t, &x.variable)
	t.acquire(&x.variable)
	if t.tracing() {
		t.note(&x.variable, "Load() = %s", t.x.pointer(x.p))
	}
	return x.p
}

// Store sets the value, atomically.
func (x *Mixed[T]) Store(p *T) {
	t := x.begin(store)
	x.atomicWrite(t, &x.variable)
	x.p = p
	t.release(&x.variable)
	if t.tracing() {
		t.note(&x.variable, "Store(%s)", t.x.pointer(p))
	}
}

// Read returns the value by a plain access.
func (x *Mixed[T]) Read() *T {
	if t := current; t != nil {
		x.plainRead(t, &x.variable)
		if t.tracing() {
			t.note(&x.variable, "read %s", t.x.pointer(x.p))
		}
	}
	return x.p
}

// Write sets the value by a plain access.
func (x *Mixed[T]) Write(p *T) {
	if t := current; t != nil {
		x.plainWrite(t, &x.variable)
		if t.tracing() {
			t.note(&x.variable, "write %s", t.x.pointer(p))
		}
	}
	x.p = p
}

// Cell is plain memory, which nothing but the order of other operations
// protects. Accesses are no steps; the run fails if they race.
type Cell[T any] struct {
	variable
	hazard
	v T
}

// Read returns the value.
func (x *Cell[T]) Read() T {
	if t := current; t != nil {
		x.plainRead(t, &x.variable)
		if t.tracing() {
			t.note(&x.variable, "read %v", x.v)
		}
	}
	return x.v
}

// Write sets the value.
func (x *Cell[T]) Write(v T) {
	if t := current; t != nil {
		x.plainWrite(t, &x.variable)
		if t.tracing() {
			t.note(&x.variable, "write %v", v)
		}
	}
	x.v = v
}
