package core

import (
	"math/bits"
	"time"
)

// A pace is how fast things travel to or from a peer, measured by what the data streams have carried: time
// per byte, the latest bytes counting most.
type pace struct {
	bytes int64
	took  time.Duration
}

// usual is believed before anything was measured: one transfer among others on a gigabit line, 100 MiB a
// second, with the weight of four megabytes.
var usual = pace{4 << 20, 40 * time.Millisecond}

const (
	paceMemory = 32 << 20 // bytes after which what was measured counts half
	paceStep   = 8        // one transfer is no more than so many times slower or faster than was believed: a stall is no line
)

// learn takes in one transfer.
func (p *pace) learn(bytes int64, took time.Duration) {
	if bytes <= 0 || took < 0 {
		return
	}
	if p.bytes == 0 {
		*p = usual
	}
	bytes = min(bytes, paceMemory)
	believed := p.of(bytes)
	p.took += min(max(took, believed/paceStep, 1), paceStep*believed+1)
	p.bytes += bytes
	if p.bytes > paceMemory {
		p.bytes, p.took = p.bytes/2, p.took/2
	}
}

// of is how long so many bytes travel.
func (p pace) of(bytes int64) time.Duration {
	if p.bytes == 0 {
		p = usual
	}
	hi, lo := bits.Mul64(uint64(min(max(bytes, 0), 1<<32)), uint64(p.took))
	if hi >= uint64(p.bytes) {
		return time.Hour // slower than anything that is worth waiting for
	}
	ns, _ := bits.Div64(hi, lo, uint64(p.bytes))
	return time.Duration(min(ns, uint64(time.Hour)))
}

// moved takes in what the driver has measured.
func (c *Core) moved(ev Moved) {
	if d := c.downs[ev.Peer]; d != nil {
		d.pace.learn(ev.Bytes, ev.Took)
	} else if u := c.ups[ev.Peer]; u != nil {
		u.pace.learn(ev.Bytes, ev.Took)
	}
}

// paceTo is the pace of transfers with a peer.
func (c *Core) paceTo(p PeerID) pace {
	if d := c.downs[p]; d != nil && d.pace.bytes > 0 {
		return d.pace
	}
	if u := c.ups[p]; u != nil && u.pace.bytes > 0 {
		return u.pace
	}
	return usual
}

// Bandwidth is the bytes a second that transfers with a peer are expected to make.
func (c *Core) Bandwidth(p PeerID) int64 {
	if each := c.paceTo(p).of(1 << 20); each > 0 {
		return int64(time.Second) << 20 / int64(each)
	}
	return 1 << 62 // not measurable
}
