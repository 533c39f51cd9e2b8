package host

import (
	"net/netip"
	"slices"
	"time"
)

// Which way packets to one peer take: datagrams to one of its addresses, or
// frames on a stream where UDP does not get through. A packetPath decides from
// what was sent and what was heard:
//
//	guess ──heard──▶ direct ──nothing heard──▶ doubt ──probes unanswered──▶ stream
//	  │                ▲  ▲                      │                             │
//	  └─probes────▶ doubt  └───────heard─────────┴──────────heard──────────────┘
//
// In guess and doubt packets already (still) go as datagrams, so nothing waits.
// A probe goes to all addresses of the peer at once and is answered to where it
// came from; the first answer says which address works. On a stream it is tried
// again from time to time, but only while there is something to send: a path
// without traffic costs nothing.
//
// It is pure: time comes in from outside. "Heard" means that something genuine
// came from the peer as a datagram: an answer to a probe, or a packet that the
// layer above found genuine.
type packetPath struct {
	state   pathState
	addrs   []netip.AddrPort // where the peer may be, the one that worked first
	unheard int              // datagrams sent since the peer was last heard
	since   time.Time        // when the first of them was sent
	probes  int              // unanswered, in a row
	next    time.Time        // when the next probe is due; zero: none
	retry   time.Duration    // how long to stay on the stream before UDP is tried again

	everHeard bool // the peer was heard from the first of addrs at some time

	suspected time.Time // when suspect last led to a probe
}

type pathState uint8

const (
	pathGuess  pathState = iota // nothing is known
	pathDirect                  // UDP works
	pathDoubt                   // probes are out
	pathStream                  // UDP does not get through
)

const (
	// doubtAfter datagrams without hearing from the peer, the first of them
	// doubtAge ago, make a direct path doubtful. Gossip is often not answered at
	// all, so this is not rare; a probe costs as much as a packet.
	doubtAfter = 3
	doubtAge   = 2 * time.Second
	// maxProbes unanswered ones, probeEvery apart, prove that UDP is blocked. This has to be
	// over well before gossip calls the peer failed, so it takes a second; a peer that is
	// farther away than that is spoken to on a stream.
	maxProbes  = 4
	probeEvery = 250 * time.Millisecond
	// suspectEvery is the least time between two suspicions that lead to probes.
	suspectEvery = 2 * time.Second
	// UDP is tried again after retryFirst, then twice as long, up to retryMost.
	retryFirst = 10 * time.Second
	retryMost  = 10 * time.Minute
	// maxAddrs bounds the addresses kept of one peer.
	maxAddrs = 16
)

// A route is where one packet goes. The zero route is a stream.
type route struct {
	to    netip.AddrPort // as a datagram to here, if valid
	probe bool           // send a probe now, too
}

// send decides the way of a packet that is sent now.
func (p *packetPath) send(now time.Time) route {
	if len(p.addrs) == 0 {
		return route{}
	}
	probe := false
	switch p.state {
	case pathGuess:
		probe = p.doubt(now)
	case pathDirect:
		if p.unheard == 0 {
			p.since = now
		}
		p.unheard++
		if p.unheard > doubtAfter && now.Sub(p.since) >= doubtAge {
			probe = p.doubt(now)
		}
	case pathStream:
		// A retry is one round of probes; until it is answered the stream stays.
		if p.next.IsZero() || !now.Before(p.next) {
			p.retry = min(2*p.retry, retryMost)
			p.next = now.Add(p.retry)
			probe = true
		}
		return route{probe: probe}
	}
	return route{to: p.addrs[0], probe: probe}
}

// doubt begins a round of probes; the first is due now.
func (p *packetPath) doubt(now time.Time) bool {
	p.state, p.probes, p.next = pathDoubt, 1, now.Add(probeEvery)
	return true
}

// tick is called now and then; it tells whether a probe is due.
func (p *packetPath) tick(now time.Time) (probe bool) {
	if p.state != pathDoubt || now.Before(p.next) {
		return false
	}
	if p.probes < maxProbes {
		p.probes++
		p.next = now.Add(probeEvery)
		return true
	}
	p.state, p.retry = pathStream, retryFirst
	p.next = now.Add(p.retry)
	return false
}

// waiting tells whether tick has something to do later.
func (p *packetPath) waiting() bool { return p.state == pathDoubt }

// suspect is told that something speaks against UDP: a connection to the peer came about
// over TCP although it has UDP addresses, the peer did not answer in time, or sends its own
// packets on a stream.
func (p *packetPath) suspect(now time.Time) (probe bool) {
	if len(p.addrs) == 0 || p.state == pathDoubt || p.state == pathStream || now.Sub(p.suspected) < suspectEvery {
		return false
	}
	p.suspected = now
	return p.doubt(now)
}

// candidate is told of an address that the peer may have now. A round of probes will tell.
func (p *packetPath) candidate(at netip.AddrPort, now time.Time) (probe bool) {
	p.prefer(at)
	if len(p.addrs) > 1 {
		p.addrs[0], p.addrs[1] = p.addrs[1], p.addrs[0] // behind the one that worked
	}
	if p.state == pathDoubt {
		return true // to this address, too
	}
	return p.doubt(now)
}

// firstOfRound tells whether the probe that is sent now begins a round. All of a round have
// one number, so that an answer to any of them counts, however late it is.
func (p *packetPath) firstOfRound() bool { return p.state == pathStream || p.probes <= 1 }

// heard is told that the peer was heard from an address.
func (p *packetPath) heard(from netip.AddrPort) {
	p.state, p.unheard, p.probes, p.next, p.retry = pathDirect, 0, 0, time.Time{}, 0
	p.everHeard = true
	p.prefer(from)
}

// prefer puts an address first.
func (p *packetPath) prefer(at netip.AddrPort) {
	if i := slices.Index(p.addrs, at); i >= 0 {
		p.addrs = slices.Delete(p.addrs, i, i+1)
	}
	p.addrs = slices.Insert(p.addrs, 0, at)
	p.addrs = p.addrs[:min(len(p.addrs), maxAddrs)]
}

// learn adds addresses behind those that are known. Something new is worth
// trying at once when UDP did not work so far.
func (p *packetPath) learn(addrs []netip.AddrPort) {
	fresh := false
	for _, a := range addrs {
		if len(p.addrs) < maxAddrs && !slices.Contains(p.addrs, a) {
			p.addrs = append(p.addrs, a)
			fresh = true
		}
	}
	if fresh && p.state == pathStream {
		p.next, p.retry = time.Time{}, retryFirst/2
	}
}
