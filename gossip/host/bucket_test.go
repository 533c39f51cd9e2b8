package host

import (
	"net/netip"
	"testing"
	"time"
)

func TestBucket(t *testing.T) {
	now := time.Unix(1000, 0)
	var b bucket
	count := func(n int) (passed int) {
		for range n {
			if b.take(now, 10, 20) {
				passed++
			}
		}
		return passed
	}
	if n := count(100); n != 20 {
		t.Errorf("%d at once", n)
	}
	now = now.Add(time.Second)
	if n := count(100); n != 10 {
		t.Errorf("%d after a second", n)
	}
	now = now.Add(time.Hour)
	if n := count(100); n != 20 {
		t.Errorf("%d after an hour", n)
	}
	now = now.Add(-24 * time.Hour)
	count(1)
	now = now.Add(time.Second)
	if n := count(100); n < 9 {
		t.Errorf("%d after the clock was set back", n)
	}
}

// Whatever strangers send, from however many addresses, members' packets pass, and
// the sieve's memory is bounded.
func TestSieveKeepsMembersApart(t *testing.T) {
	s := newSieve()
	now := time.Unix(1000, 0)
	member := netip.MustParseAddrPort("10.0.0.1:7447")
	s.know(member)
	passed, lost := 0, 0
	for i := range 1_000_000 {
		now = now.Add(10 * time.Microsecond)
		stranger := netip.AddrPortFrom(netip.AddrFrom4([4]byte{11, byte(i >> 16), byte(i >> 8), byte(i)}), 1)
		if i%10 < 5 {
			stranger = netip.MustParseAddrPort("11.1.1.1:1")
		}
		if s.pass(now, stranger) {
			passed++
		}
		if i%1000 == 0 && !s.pass(now, member) {
			lost++
		}
	}
	if lost > 0 {
		t.Errorf("%d of 1000 packets of a member were dropped", lost)
	}
	if most := strangersBurst + 10*strangersRate; passed > most+1 {
		t.Errorf("%d packets of strangers passed in 10 s, more than %d", passed, most)
	}
	if len(s.strangers) > maxStrangers {
		t.Errorf("%d strangers", len(s.strangers))
	}
	now = now.Add(2 * strangerForget)
	s.pass(now, netip.MustParseAddrPort("11.9.9.9:1"))
	if len(s.strangers) > 1 {
		t.Errorf("%d strangers after they were gone", len(s.strangers))
	}
}

// A stranger cannot have many buckets by the many addresses of an IPv6 network,
// or by ports.
func TestSieveCountsPrefixes(t *testing.T) {
	s := newSieve()
	now := time.Unix(1000, 0)
	passed := 0
	for i := range 1000 {
		ip := netip.MustParseAddr("2001:db8::").As16()
		ip[14], ip[15] = byte(i>>8), byte(i)
		if s.pass(now, netip.AddrPortFrom(netip.AddrFrom16(ip), uint16(i+1))) {
			passed++
		}
	}
	if passed != strangerBurst {
		t.Errorf("%d passed", passed)
	}
}

func TestDoor(t *testing.T) {
	members := netip.MustParseAddr("10.0.0.1")
	d := newDoor(func(a netip.Addr) bool { return a == members })
	attacker := netip.MustParseAddr("11.0.0.1")
	gone := make(map[int]bool)
	knocks := make([]*knock, 0, 1000)
	for i := range 1000 {
		knocks = append(knocks, d.enter(attacker, func() { gone[i] = true }))
	}
	if len(gone) != 1000-maxKnocksPerAddress || gone[999] || !gone[0] {
		t.Errorf("%d were given up", len(gone))
	}
	if d.pending() != maxKnocksPerAddress {
		t.Errorf("%d pending", d.pending())
	}
	if d.leave(knocks[0]) || !d.leave(knocks[999]) || d.leave(knocks[999]) {
		t.Error("who has left, has left")
	}
	for i := range 2000 { // from many addresses
		a := netip.AddrFrom4([4]byte{12, 0, byte(i >> 8), byte(i)})
		if d.enter(a, func() {}) == nil {
			t.Fatal("not let in although something can be given up")
		}
	}
	if d.pending() != maxKnocks {
		t.Errorf("%d pending", d.pending())
	}
	// What cannot give up is refused, and members have a room of their own.
	if d.enter(netip.MustParseAddr("13.0.0.1"), nil) != nil {
		t.Error("let into a full room")
	}
	for range maxKnocksPerAddress {
		if d.enter(members, nil) == nil {
			t.Fatal("a member was not let in")
		}
	}
	if d.enter(members, nil) != nil {
		t.Error("the members' room has no bound")
	}
}
