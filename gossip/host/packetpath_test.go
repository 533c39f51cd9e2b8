package host

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

// A pathStory is what happens to a path, one line each, as seconds, event and
// what the path says to it. It reads like the essay in packetpath.go.
func TestPacketPathStories(t *testing.T) {
	for _, story := range []struct{ name, text string }{
		{"nothing known of the peer", `
			0    send   -> stream`},
		{"UDP works from the start", `
			0    learn a b
			0    send   -> a probe
			0.1  heard b
			0.2  send   -> b
			60   send   -> b
			60.1 heard b
			900  send   -> b`},
		{"UDP never works", `
			0    learn a b
			0    send   -> a probe
			0.2  tick   ->
			0.25 tick   -> probe
			0.3  send   -> a
			0.5  tick   -> probe
			0.75 tick   -> probe
			1    tick   ->
			1.1  send   -> stream
			10.9 send   -> stream
			11   send   -> stream probe
			20   send   -> stream
			31   send   -> stream probe
			71   send   -> stream probe
			151  send   -> stream probe`},
		{"UDP stops, and works again", `
			0    learn a
			0    heard a
			1    send   -> a
			1.5  send   -> a
			2    send   -> a
			2.5  send   -> a
			3    send   -> a probe
			3.25 tick   -> probe
			3.5  tick   -> probe
			3.75 tick   -> probe
			4    tick   ->
			4.5  send   -> stream
			14   send   -> stream probe
			14.1 heard a
			15   send   -> a
			15.1 tick   ->`},
		{"the peer does not answer in time, but does answer", `
			0    learn a
			0    heard a
			3    suspect -> probe
			3.1  heard a
			4    suspect ->
			4    send   -> a
			5    suspect -> probe
			5.2  heard a
			6    send   -> a`},
		{"the peer may be elsewhere, and is", `
			0    learn a
			0    heard a
			1    maybe c -> probe
			1    send   -> a
			1.1  heard c
			2    send   -> c`},
		{"the peer may be elsewhere, and is not", `
			0    learn a
			0    heard a
			1    maybe c -> probe
			1.1  heard a
			2    send   -> a`},
		{"many packets at once are no reason for doubt", `
			0    learn a
			0    heard a
			1    send   -> a
			1    send   -> a
			1    send   -> a
			1    send   -> a
			1    send   -> a
			1.1  heard a
			30   send   -> a`},
		{"a connection over TCP although there are UDP addresses", `
			0    suspect ->
			0    learn a
			0    heard a
			9    suspect -> probe
			9    suspect ->
			9.1  heard a
			10   send   -> a`},
		{"the peer moves", `
			0    learn a
			0    heard a
			5    heard c
			6    send   -> c`},
		{"new addresses are tried at once", `
			0    learn a
			0    send   -> a probe
			0.25 tick   -> probe
			0.5  tick   -> probe
			0.75 tick   -> probe
			1    tick   ->
			2    learn b
			2.1  send   -> stream probe
			2.2  heard b
			3    send   -> b`},
		{"no address, heard nevertheless", `
			0    heard a
			1    send   -> a`},
	} {
		t.Run(story.name, func(t *testing.T) {
			var p packetPath
			for _, line := range strings.Split(strings.TrimSpace(story.text), "\n") {
				tell(t, &p, strings.TrimSpace(line))
			}
		})
	}
}

func tell(t *testing.T, p *packetPath, line string) {
	t.Helper()
	event, want, _ := strings.Cut(line, "->")
	words := strings.Fields(event)
	seconds, err := time.ParseDuration(words[0] + "s")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(1000, 0).Add(seconds)
	got := ""
	switch words[1] {
	case "learn":
		var addrs []netip.AddrPort
		for _, w := range words[2:] {
			addrs = append(addrs, named(w))
		}
		p.learn(addrs)
	case "heard":
		p.heard(named(words[2]))
	case "send":
		r := p.send(now)
		got = "stream"
		if r.to.IsValid() {
			got = nameOf(r.to)
		}
		if r.probe {
			got += " probe"
		}
	case "tick", "suspect", "maybe":
		probe := false
		switch words[1] {
		case "tick":
			probe = p.tick(now)
		case "suspect":
			probe = p.suspect(now)
		case "maybe":
			probe = p.candidate(named(words[2]), now)
		}
		if probe {
			got = "probe"
		}
	}
	if got != strings.TrimSpace(want) {
		t.Fatalf("%s: got %q (%+v)", line, got, *p)
	}
}

func named(s string) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, s[0] - 'a' + 1}), 7447)
}

func nameOf(a netip.AddrPort) string { return string('a' + rune(a.Addr().As4()[3]) - 1) }

func TestPacketPathIsBounded(t *testing.T) {
	var p packetPath
	for i := range 1000 {
		a := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 1)
		if i%2 == 0 {
			p.learn([]netip.AddrPort{a, a})
		} else {
			p.heard(a)
			if p.addrs[0] != a {
				t.Fatal("what was heard is not first")
			}
		}
		if len(p.addrs) > maxAddrs || len(slices.Compact(slices.Clone(p.addrs))) != len(p.addrs) {
			t.Fatal(fmt.Sprint(p.addrs))
		}
	}
}
