package host

import (
	"net/netip"
	"time"
)

// Rates of incoming packets, in packets per second, and how many may come at
// once. Members at 300 nodes send a node some 5 packets per second altogether, and
// a few hundred at once when everybody restarts.
const (
	memberRate, memberBurst     = 500, 1000  // of each address that a member is known at
	strangerRate, strangerBurst = 20, 40     // of each other address (an IPv6 /64)
	strangersRate               = 400        // of all other addresses together
	strangersBurst              = 800        //
	streamRate, streamBurst     = 2000, 4000 // of each peer over a stream
	maxStrangers                = 4096       // addresses that are told apart; beyond them only the sum counts
	strangerForget              = time.Minute
)

// A bucket is a token bucket. The zero bucket is full at any time.
type bucket struct {
	last  time.Time
	spent float64 // tokens missing at last
}

// take takes a token if there is one.
func (b *bucket) take(now time.Time, rate, burst float64) bool {
	if gap := now.Sub(b.last).Seconds(); gap > 0 {
		b.spent = max(0, b.spent-gap*rate)
		b.last = now
	} else if gap < 0 {
		b.last = now // the clock was set back
	}
	if b.spent+1 > burst {
		return false
	}
	b.spent++
	return true
}

// A sieve decides from the source address alone whether an incoming datagram is
// worth looking at: before any cryptography, and at a cost that does not depend
// on how many sources there are. Addresses of members have a bucket each, so that
// strangers cannot take their room. It is not safe for concurrent use.
type sieve struct {
	members   map[netip.AddrPort]*bucket // kept in step with what is known of members
	strangers map[netip.Addr]*bucket
	sum       bucket
	swept     time.Time
}

func newSieve() *sieve {
	return &sieve{members: make(map[netip.AddrPort]*bucket), strangers: make(map[netip.Addr]*bucket)}
}

// pass tells whether a datagram from the address may go on.
func (s *sieve) pass(now time.Time, from netip.AddrPort) bool {
	if b := s.members[from]; b != nil {
		return b.take(now, memberRate, memberBurst)
	}
	if now.Sub(s.swept) > strangerForget || now.Before(s.swept) {
		s.sweep(now)
	}
	addr := from.Addr().WithZone("")
	if addr.Is6() {
		p, _ := addr.Prefix(64)
		addr = p.Addr()
	}
	b := s.strangers[addr]
	if b == nil && len(s.strangers) < maxStrangers {
		b = &bucket{}
		s.strangers[addr] = b
	}
	if b != nil && !b.take(now, strangerRate, strangerBurst) {
		return false
	}
	return s.sum.take(now, strangersRate, strangersBurst)
}

// sweep forgets the strangers whose buckets are full again.
func (s *sieve) sweep(now time.Time) {
	s.swept = now
	for addr, b := range s.strangers {
		if now.Sub(b.last) > strangerForget || now.Before(b.last) {
			delete(s.strangers, addr)
		}
	}
}

// know gives the address of a member a bucket of its own.
func (s *sieve) know(at netip.AddrPort) {
	if s.members[at] == nil {
		s.members[at] = &bucket{}
	}
}

// forget makes the address a stranger's.
func (s *sieve) forget(at netip.AddrPort) { delete(s.members, at) }
