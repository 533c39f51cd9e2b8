package core

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
)

// issueWarrant signs that home granted attempt a of span s to holder. The key is
// home's own and is the same for all incarnations of a home with a disk, so that
// a restarted home can tell what it granted from what somebody made up.
func (c *Core) issueWarrant(job JobID, s Span, a Attempt, holder PeerID) Warrant {
	w := Warrant{Span: s, Holder: holder}
	w.MAC = c.sign(job, a, &w)
	return w
}

// genuine tells whether home once granted p to somebody.
func (c *Core) genuine(p Piece, w *Warrant) bool {
	want := c.sign(p.Job, p.Attempt, w)
	return p.Span.within(w.Span) && hmac.Equal(want[:], w.MAC[:])
}

func (c *Core) sign(job JobID, a Attempt, w *Warrant) (mac [16]byte) {
	if c.mac == nil {
		c.mac = hmac.New(sha256.New, c.cfg.Key[:])
	}
	h := c.mac
	h.Reset()
	var b [5 * 8]byte
	for k, v := range [...]uint64{job.Seq, a.Incarnation, uint64(a.N), w.Lo, w.Hi} {
		binary.BigEndian.PutUint64(b[8*k:], v)
	}
	h.Write(b[:])
	h.Write([]byte(job.Home))
	h.Write([]byte{0}) // between two names of any length
	h.Write([]byte(w.Holder))
	var sum [sha256.Size]byte
	copy(mac[:], h.Sum(sum[:0]))
	return mac
}
