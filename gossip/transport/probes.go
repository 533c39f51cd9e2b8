package transport

import (
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

// probesKept is how many probes are remembered. A node sends a few per second, its own
// and those that others ask for, and an answer that comes later than that is none.
const probesKept = 256

// probes knows whom the last probes went to. An answer names its probe by number and not
// its sender; a number that was given out just now and is answered once is no replay.
type probes struct {
	mu   sync.Mutex
	ring [probesKept]probe
	next int
}

type probe struct {
	seq uint32
	to  peer.ID // "" if answered, or never used
	at  time.Time
}

func (p *probes) sent(now time.Time, to peer.ID, seqs []uint32) {
	if len(seqs) == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, seq := range seqs {
		p.ring[p.next] = probe{seq, to, now}
		p.next = (p.next + 1) % probesKept
	}
}

// answered returns whose answer it is, and how long that took.
func (p *probes) answered(now time.Time, seq uint32) (peer.ID, time.Duration, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.ring {
		if x := &p.ring[i]; x.to != "" && x.seq == seq {
			id := x.to
			x.to = ""
			return id, now.Sub(x.at), true
		}
	}
	return "", 0, false
}
