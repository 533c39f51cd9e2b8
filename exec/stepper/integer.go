package stepper

import "fmt"

// integer has the methods of the integer types of sync/atomic, and Await.
type integer[T ~int32 | ~int64 | ~uint32 | ~uint64] struct{ variable }

// Integers with the methods of those in sync/atomic. Their zero values are 0.
type (
	// Int32 stands for atomic.Int32.
	Int32 struct{ integer[int32] }
	// Int64 stands for atomic.Int64.
	Int64 struct{ integer[int64] }
	// Uint32 stands for atomic.Uint32.
	Uint32 struct{ integer[uint32] }
	// Uint64 stands for atomic.Uint64.
	Uint64 struct{ integer[uint64] }
)

// Load returns the value.
func (x *integer[T]) Load() T {
	t := x.begin(load)
	t.acquire(&x.variable)
	v := T(x.value)
	if t.tracing() {
		t.note(&x.variable, "Load() = %v", v)
	}
	return v
}

// Await blocks until the value satisfies until, and returns it. It stands for
// a loop that loads the value over and over.
func (x *integer[T]) Await(until func(T) bool) T {
	if t := current; t != nil {
		t.step(operation{kind: await, on: &x.variable, until: func(v uint64) bool { return until(T(v)) }})
		t.acquire(&x.variable)
		if t.tracing() {
			t.note(&x.variable, "Await() = %v", T(x.value))
		}
	} else if !until(T(x.value)) {
		panic(fmt.Sprintf("stepper: %s would wait forever outside of a thread", x.name))
	}
	return T(x.value)
}

// Store sets the value.
func (x *integer[T]) Store(v T) {
	t := x.begin(store)
	x.value = uint64(v)
	t.release(&x.variable)
	if t.tracing() {
		t.note(&x.variable, "Store(%v)", v)
	}
}

// modify makes the value what f makes of it.
func (x *integer[T]) modify(t *thread, f func(T) T) (old, new T) {
	old = T(x.value)
	new = f(old)
	x.value = uint64(new)
	t.acquire(&x.variable)
	t.release(&x.variable)
	return old, new
}

// Swap sets the value and returns the old one.
func (x *integer[T]) Swap(v T) (old T) {
	t := x.begin(update)
	old, _ = x.modify(t, func(T) T { return v })
	if t.tracing() {
		t.note(&x.variable, "Swap(%v) = %v", v, old)
	}
	return old
}

// Add adds delta and returns the new value.
func (x *integer[T]) Add(delta T) (new T) {
	t := x.begin(update)
	_, new = x.modify(t, func(v T) T { return v + delta })
	if t.tracing() {
		t.note(&x.variable, "Add(%v) = %v", delta, new)
	}
	return new
}

// And clears the bits that are not in mask and returns the old value.
func (x *integer[T]) And(mask T) (old T) {
	t := x.begin(update)
	old, _ = x.modify(t, func(v T) T { return v & mask })
	if t.tracing() {
		t.note(&x.variable, "And(%#x) = %#x", mask, old)
	}
	return old
}

// Or sets the bits of mask and returns the old value.
func (x *integer[T]) Or(mask T) (old T) {
	t := x.begin(update)
	old, _ = x.modify(t, func(v T) T { return v | mask })
	if t.tracing() {
		t.note(&x.variable, "Or(%#x) = %#x", mask, old)
	}
	return old
}

// CompareAndSwap sets the value to new if it is old.
func (x *integer[T]) CompareAndSwap(old, new T) (swapped bool) {
	t := x.begin(update)
	t.acquire(&x.variable)
	if swapped = T(x.value) == old; swapped {
		x.value = uint64(new)
		t.release(&x.variable)
	}
	if t.tracing() {
		t.note(&x.variable, "CompareAndSwap(%v, %v) = %v", old, new, swapped)
	}
	return swapped
}
