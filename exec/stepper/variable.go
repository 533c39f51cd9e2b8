package stepper

import "fmt"

// A kind says what an operation does to its variable.
type kind uint8

const (
	load    kind = iota // reads
	await               // reads, once the value is as wanted
	enter               // Order.Enter
	leave               // Order.Leave
	store               // writes without reading
	update              // reads and writes, or may
	lock                // waits until the mutex is free, takes it
	unlock              // frees it
	send                // waits until the signal is not set, sets it
	receive             // waits until it is set, takes it
)

// conflicts reports whether two operations on one variable do not commute.
func conflicts(a, b kind) bool {
	switch {
	case a <= await && b <= await:
		return false
	case a == enter && b == enter, a == leave && b == leave:
		return false
	}
	return true
}

// exclusive reports whether an operation conflicts with every other one on the
// same variable, so that all earlier ones are ordered before all later ones.
func (k kind) exclusive() bool { return k >= store }

// An operation is what a thread is about to do.
type operation struct {
	kind  kind
	on    *variable
	until func(value uint64) bool // for await
}

// possible reports whether the operation need not wait if the variable has
// this value.
func (o *operation) possible(value uint64) bool {
	switch o.kind {
	case lock, send:
		return value == 0
	case receive:
		return value != 0
	case await:
		return o.until(value)
	}
	return true
}

// conflictsWith reports whether two operations do not commute.
func (o *operation) conflictsWith(p *operation) bool {
	return o.on == p.on && conflicts(o.kind, p.kind)
}

// variable is what all types that threads synchronise with have in common. It
// belongs to the run in which it was used first.
type variable struct {
	value uint64 // integers and bits as such; of pointers it is not used
	name  string
	serie uint64 // number of the run that the rest is valid in
	last  int    // number of the last step on it, from 1; 0: none
	sync  clock  // what a thread that reads the value is ordered after
}

// A Variable is any type of this package that threads synchronise with.
type Variable interface{ self() *variable }

func (v *variable) self() *variable { return v }

// Name gives a variable the name that traces show.
func Name(v Variable, format string, args ...any) {
	v.self().name = fmt.Sprintf(format, args...)
}

// begin is called by each operation before it takes effect. It returns the
// thread that it is a step of, or nil when the program is being set up or the
// run is over; then the operation simply happens.
func (v *variable) begin(k kind) *thread {
	t := current
	if t != nil {
		t.step(operation{kind: k, on: v})
	}
	return t
}

// acquire orders t after whoever has written the value.
func (t *thread) acquire(v *variable) {
	if t != nil {
		t.sync.join(&v.sync)
	}
}

// release orders t before whoever reads the value that t has written.
func (t *thread) release(v *variable) {
	if t != nil {
		v.sync = t.sync
	}
}

// A clock counts, per thread, the steps that come before.
type clock [MaxThreads]uint16

func (c *clock) join(d *clock) {
	for i, n := range d {
		c[i] = max(c[i], n)
	}
}
