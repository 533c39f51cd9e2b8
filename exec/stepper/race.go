package stepper

// hazard remembers, per thread, when it last accessed a piece of memory: the
// number of its next step then, 0 for never. An access is ordered before
// whatever a thread does that has synchronised with that step or a later one.
// What happened while the program was set up is ordered before everything.
type hazard struct {
	plainReads, plainWrites   clock
	atomicReads, atomicWrites clock
}

func (h *hazard) plainRead(t *thread, v *variable) {
	t.mustFollow(&h.plainWrites, "read", "a write", v)
	t.mustFollow(&h.atomicWrites, "read", "an atomic write", v)
	h.plainReads[t.id] = t.sync[t.id] + 1
}

func (h *hazard) plainWrite(t *thread, v *variable) {
	t.mustFollow(&h.plainReads, "write", "a read", v)
	t.mustFollow(&h.plainWrites, "write", "a write", v)
	t.mustFollow(&h.atomicReads, "write", "an atomic read", v)
	t.mustFollow(&h.atomicWrites, "write", "an atomic write", v)
	h.plainWrites[t.id] = t.sync[t.id] + 1
}

// Atomic accesses are steps themselves: they are ordered before who has
// synchronised with that very step.

func (h *hazard) atomicRead(t *thread, v *variable) {
	if t != nil {
		t.mustFollow(&h.plainWrites, "atomic read", "a write", v)
		h.atomicReads[t.id] = t.sync[t.id]
	}
}

func (h *hazard) atomicWrite(t *thread, v *variable) {
	if t != nil {
		t.mustFollow(&h.plainReads, "atomic write", "a read", v)
		t.mustFollow(&h.plainWrites, "atomic write", "a write", v)
		h.atomicWrites[t.id] = t.sync[t.id]
	}
}

// mustFollow fails the run unless t is ordered after the accesses.
func (t *thread) mustFollow(accesses *clock, mine, other string, v *variable) {
	for id, at := range accesses {
		if at > t.sync[id] && id != t.id && !t.x.unwinding {
			t.note(v, "%s", mine)
			Failf("data race on %s: the %s by %s is not ordered after %s by %s",
				t.x.nameOf(v), mine, t.name, other, t.x.threads[id].name)
		}
	}
}
