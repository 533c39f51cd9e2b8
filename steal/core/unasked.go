package core

// This file is about what comes that nobody has asked for. Home may give a second attempt to whom it likes (hedge.go), so that
// a grant that answers no offer is taken; but a grantor must not fill our memory with them.

const (
	// maxUnasked is how many tasks of one grantor wait here at most that answer no offer. Hedges are of
	// single tasks, for those who have nothing else to do.
	maxUnasked = 64
	// maxGuest bounds what waits here of a guest, whatever it says that it answers: an offer for a
	// window may be answered in the moment in which the next is out.
	maxGuest = 2 * guestWindow
)

const reasonUnasked = "more than was asked for"

// tooMuch tells whether a part is more than we would ever have asked its grantor for.
func (c *Core) tooMuch(u *uplink, p *Part, unasked bool) bool {
	if u.guest != nil && u.unstarted()+p.Len() > maxGuest {
		return true
	}
	return unasked && u.unasked()+p.Len() > maxUnasked
}

// unasked counts the tasks held from u that wait here and answered no offer.
func (u *uplink) unasked() (n uint64) {
	for _, h := range u.order {
		for _, q := range h.waiting() {
			if q.unasked {
				n += q.Len()
			}
		}
	}
	return n
}
