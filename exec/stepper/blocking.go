package stepper

// Mutex stands for sync.Mutex.
type Mutex struct{ variable }

// Lock blocks until the mutex is free and takes it.
func (m *Mutex) Lock() {
	t := m.begin(lock)
	if t == nil && m.value != 0 {
		panic("stepper: a locked mutex is locked outside of a thread")
	}
	m.value = 1
	t.acquire(&m.variable)
	if t.tracing() {
		t.note(&m.variable, "Lock()")
	}
}

// Unlock frees the mutex. It is a failure to unlock a free one.
func (m *Mutex) Unlock() {
	t := m.begin(unlock)
	if m.value == 0 && (t == nil || !t.x.unwinding) {
		Failf("%s is unlocked, but was not locked", m.name)
	}
	m.value = 0
	t.release(&m.variable)
	if t.tracing() {
		t.note(&m.variable, "Unlock()")
	}
}

// Signal stands for a chan struct{} of capacity 1, by which one thread wakes
// another.
type Signal struct{ variable }

// Send sets the signal. It blocks while the signal is set already.
func (s *Signal) Send() {
	t := s.begin(send)
	if t == nil && s.value != 0 {
		panic("stepper: a signal that is set is set outside of a thread")
	}
	s.value = 1
	t.acquire(&s.variable)
	t.release(&s.variable)
	if t.tracing() {
		t.note(&s.variable, "Send()")
	}
}

// Receive blocks until the signal is set and takes it.
func (s *Signal) Receive() {
	t := s.begin(receive)
	if t == nil && s.value == 0 {
		panic("stepper: a signal that is not set is received outside of a thread")
	}
	s.value = 0
	t.acquire(&s.variable)
	t.release(&s.variable)
	if t.tracing() {
		t.note(&s.variable, "Receive()")
	}
}

// An Order makes the order of calls matter to the search although no variable
// would tell: a thread enters when a call begins and leaves when it ends, and
// runs in which one call ends before another begins are not the same as
// runs in which they overlap. It costs interleavings; tests of linearizability
// need it, because a client could tell by other means.
type Order struct{ variable }

// Enter says that a call begins, and returns a time that grows with each
// Enter and Leave.
func (o *Order) Enter() (time int) { return o.tick(enter, "Enter() at %d") }

// Leave says that a call ends.
func (o *Order) Leave() (time int) { return o.tick(leave, "Leave() at %d") }

func (o *Order) tick(k kind, format string) int {
	t := o.begin(k)
	o.value++
	if t.tracing() {
		t.note(&o.variable, format, o.value)
	}
	return int(o.value)
}
