package core

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"time"
)

// This file is about directories. A job that runs in its home's working directory
// goes only to peers that have the same one: whoever would hand it a task first asks
// it to read a file there, whose content is a secret that the job's terms carry.

// A dirProof is what a peer has said about a job's directory in this epoch.
type dirProof struct {
	job    JobID
	dir    *Dir
	state  proofState
	until  time.Duration // of what is asked, or of a refusal
	used   time.Duration // when it was last of use, if it is good
	times  uint          // refused in a row
	reason string        // of the refusal
}

type proofState uint8

const (
	proofAsked proofState = iota + 1
	proofGood
	proofRefused
)

const (
	maxProofs      = 64              // jobs per peer; others wait until one of them is of no use any more
	maxProving     = 16              // challenges of one peer that are being answered; more are refused
	proofPatience  = 5 * time.Second // for an answer
	proofAgain     = time.Second     // after a refusal, doubled each time
	maxProofAgain  = 6               // doublings
	maxProofReason = 200             // bytes of a peer's reason that are kept
)

// dirOf says why a peer is not given a job's task because of its directory, and
// asks for the proof when that is worth it.
func (c *Core) dirOf(d *downlink, id JobID, t *Terms) string {
	dir := t.Where.Dir
	if dir == nil {
		return ""
	}
	p, asked := d.proofOf(c.now, id, dir)
	if p == nil {
		c.serveAgain(c.now + proofAgain)
		return reasonProving
	}
	switch {
	case p.state == proofGood:
		p.used = c.now
		return ""
	case p.state == proofRefused && c.now < p.until:
		c.serveAgain(p.until)
		return reasonNoDir + ": " + p.reason
	case p.state == proofAsked && c.now < p.until:
		c.serveAgain(p.until)
		return reasonProving
	case p.state == proofAsked:
		p.refuse(c, reasonSilent)
		return reasonNoDir + ": " + p.reason
	case asked >= maxProving:
		c.serveAgain(c.now + proofAgain) // or as soon as one is answered
		return reasonProving
	}
	p.state, p.until = proofAsked, c.now+proofPatience
	d.send(c, Challenge{Job: id, Path: dir.Path, File: dir.File})
	c.serveAgain(p.until)
	return reasonProving
}

// proofOf is what the peer has said about a job's directory, or room for it, and how many answers are outstanding.
// While another job of the same home and directory is asked for, or was refused a moment ago, that is the answer, too.
// nil: there is no room now. What is asked, was refused a moment ago, or is of use still makes none: a home with more
// jobs than that would ask for all of them in turn, for ever.
func (d *downlink) proofOf(now time.Duration, id JobID, dir *Dir) (p *dirProof, asked int) {
	mine, alike, idle := -1, -1, -1
	for k := range d.proofs {
		o := &d.proofs[k]
		waits := now < o.until && o.state != proofGood
		if waits && o.state == proofAsked {
			asked++
		}
		switch {
		case o.job == id:
			mine = k
		case waits && o.job.Home == id.Home && o.dir.Path == dir.Path:
			alike = k
		case idle < 0 && o.idle(now):
			idle = k
		}
	}
	switch {
	case mine >= 0:
		return &d.proofs[mine], asked
	case alike >= 0:
		return &d.proofs[alike], asked
	case asked >= maxProving || len(d.proofs) >= maxProofs && idle < 0:
		return nil, asked
	case len(d.proofs) >= maxProofs:
		d.proofs = slices.Delete(d.proofs, idle, idle+1)
	}
	d.proofs = append(d.proofs, dirProof{job: id, dir: dir})
	return &d.proofs[len(d.proofs)-1], asked
}

// idle tells whether a proof may make room for that of another job.
func (p *dirProof) idle(now time.Duration) bool {
	if p.state == proofGood {
		return now >= p.used+proofPatience
	}
	return now >= p.until
}

func (p *dirProof) refuse(c *Core, reason string) {
	p.state, p.reason = proofRefused, reason[:min(len(reason), maxProofReason)]
	p.until = c.now + c.jitter(proofAgain<<min(p.times, maxProofAgain))
	p.times++
	c.serveAgain(p.until)
}

// takeProof is a peer's answer to a challenge. One that was not asked for is nothing.
func (c *Core) takeProof(d *downlink, m *Proof) {
	k := slices.IndexFunc(d.proofs, func(p dirProof) bool { return p.job == m.Job && p.state == proofAsked })
	if k < 0 {
		return
	}
	p := &d.proofs[k]
	c.thief.mayHaveSurplus = true
	want := ProveDir(p.dir.Nonce[:], m.Job, d.peer)
	switch {
	case m.Refused != "":
		p.refuse(c, m.Refused)
	case !hmac.Equal(want[:], m.MAC[:]):
		p.refuse(c, "the file there is another")
	default:
		p.state, p.times, p.used = proofGood, 0, c.now
	}
}

// challenged is the thief's side: whoever looks into the directory is the driver.
func (c *Core) challenged(u *uplink, m *Challenge) {
	if len(u.proving) >= maxProving {
		u.send(c, Proof{Job: m.Job, Refused: "too many directories are to be proven at once"})
		return
	}
	if !slices.Contains(u.proving, m.Job) {
		u.proving = append(u.proving, m.Job)
		c.emit(Prove{Peer: u.peer, Job: m.Job, Path: m.Path, File: m.File})
	}
}

// proved passes the driver's answer on, unless the epoch that asked is over.
func (c *Core) proved(ev Proved) {
	u := c.ups[ev.Peer]
	if u == nil {
		return
	}
	if k := slices.Index(u.proving, ev.Job); k >= 0 {
		u.proving = slices.Delete(u.proving, k, k+1)
		u.send(c, Proof{Job: ev.Job, MAC: ev.MAC, Refused: ev.Refused})
	}
}

// ProveDir is the proof of having read a file in a job's directory, by whoever is to
// run tasks there. content is that of the file, the whole of it; it is the key, so that
// who sees the proof travel learns nothing.
func ProveDir(content []byte, job JobID, prover PeerID) (mac [16]byte) {
	h := hmac.New(sha256.New, content)
	h.Write([]byte(job.Home))
	h.Write([]byte{0}) // between names of any length
	var seq [8]byte
	binary.BigEndian.PutUint64(seq[:], job.Seq)
	h.Write(seq[:])
	h.Write([]byte(prover))
	copy(mac[:], h.Sum(nil))
	return mac
}
