package core

import (
	"fmt"
	"testing"
	"time"
)

// TestTheWayLeadsToTheSource: from every member of a large cluster, in so few steps that what comes along it
// may be lent on once more, and nobody on it is asked by many.
func TestTheWayLeadsToTheSource(t *testing.T) {
	for _, test := range []struct {
		name                  string
		nodes, rack, zone     int // members of a rack, and of a zone; 0: not known
		mostSteps, mostAskers int
	}{
		{"racks in zones", 4000, 40, 1000, 3, 39 + 24 + 39 + 3},
		{"racks only", 2000, 40, 0, 2, 39 + 49},
		{"nothing known", 3000, 0, 0, 3, 120},
		{"large racks", 2000, 500, 0, 3, 120},
		{"small", crowdFrom - 1, 8, 0, 1, crowdFrom},
	} {
		t.Run(test.name, func(t *testing.T) {
			level := func(a, b int) uint8 {
				switch {
				case test.rack > 0 && a/test.rack == b/test.rack:
					return 6
				case test.zone > 0 && a/test.zone == b/test.zone:
					return 7
				}
				return 8
			}
			name := func(k int) PeerID { return PeerID(fmt.Sprintf("p%05d", k)) }
			nears := make(map[int]*near) // of each rack: its members see everybody alike
			asked := make(map[PeerID]int)
			source := test.nodes / 3
			next := func(k int) PeerID {
				c := New(Config{ID: name(k), Incarnation: 1, Cores: 1, Seed: uint64(k)}, 0)
				rack := k / max(test.rack, 1)
				if test.rack == 0 {
					rack = 0
				}
				if nears[rack] == nil {
					nears[rack] = new(near)
					var list []Member
					for o := range test.nodes {
						list = append(list, Member{Peer: name(o), Level: level(k, o)})
					}
					nears[rack].meet(name(k), list)
				}
				c.near = *nears[rack]
				c.thief.believe(0, []Candidate{{Peer: name(source), Level: level(k, source), Surplus: time.Hour}})
				p, _, ok := c.whom()
				if !ok {
					t.Fatalf("%d asks nobody", k)
				}
				return p
			}
			ways := make(map[PeerID]PeerID)
			for k := range test.nodes {
				if k != source {
					ways[name(k)] = next(k)
					asked[ways[name(k)]]++
				}
			}
			for from := range ways {
				steps := 0
				for at := from; at != name(source); at = ways[at] {
					if steps++; steps > test.mostSteps {
						t.Fatalf("from %s: %d steps, and at %s still", from, steps, at)
					}
				}
			}
			for p, n := range asked {
				if n > test.mostAskers {
					t.Errorf("%d ask %s", n, p)
				}
			}
		})
	}
}

// aRack is a home far away and some thieves of one rack, for whom the way matters.
func aRack(t *testing.T, thieves int) (w *concert, speaker PeerID, others []PeerID) {
	cores := map[PeerID]int{"home": 0}
	for k := range thieves {
		cores[PeerID(fmt.Sprintf("t%d", k))] = 2
	}
	w = newConcert(t, cores)
	for _, id := range w.order {
		w.nodes[id].cfg.Crowd = 1
		var list []Member
		for _, o := range w.order {
			m := Member{Peer: o, Level: 6}
			if (id == "home") != (o == "home") {
				m.Level = 8
			}
			list = append(list, m)
		}
		w.nodes[id].near.meet(id, list) // no lifelines: nobody has an offer out
	}
	for _, id := range w.order[1:] {
		w.nodes[id].thief.believe(w.now, []Candidate{{Peer: "home", Level: 8, Surplus: time.Hour}})
		if p, _, _ := w.nodes[id].whom(); p == "home" {
			speaker = id
		} else {
			others = append(others, id)
		}
	}
	return w, speaker, others
}

// TestOneAsksForMany: of a rack one dials the far home, and all get its work at once.
func TestOneAsksForMany(t *testing.T) {
	w, speaker, others := aRack(t, 6)
	w.step("home", Submit{Ref: 1, Terms: Terms{Name: "f", Kind: "func", Estimate: time.Second}, N: 1000})
	for _, id := range append(others, speaker) { // it hears last
		w.know(id, "home", 8, time.Hour)
	}
	w.pass(10 * time.Millisecond)
	for _, id := range w.order[1:] {
		if len(w.runs[id]) != 2 {
			t.Errorf("%s runs %d tasks on 2 cores", id, len(w.runs[id]))
		}
		if n := len(messages[Offer](w, id, "home")); (n > 0) != (id == speaker) {
			t.Errorf("%s asks home %d times; %s speaks for the rack", id, n, speaker)
		}
	}
}

// TestAMiddleGathersOutcomes: what several end within a moment goes up as one report; the first does not
// wait for it, nor does what the middle has run itself.
func TestAMiddleGathersOutcomes(t *testing.T) {
	w, speaker, others := aRack(t, 6)
	w.step("home", Submit{Ref: 1, Terms: Terms{Name: "f", Kind: "func", Estimate: time.Second}, N: 1000})
	for _, id := range append(others, speaker) {
		w.know(id, "home", 8, time.Hour)
	}
	w.pass(10 * time.Millisecond)
	reports := func() (n, tasks int) {
		for _, r := range messages[Report](w, speaker, "home") {
			n++
			tasks += len(r.Outcomes)
		}
		return n, tasks
	}
	for k, id := range others {
		w.done(id, time.Second)
		if n, _ := reports(); n != 1 {
			t.Fatalf("%d reports after %d peers have ended something", n, k+1)
		}
	}
	w.pass(gatherFor)
	if n, tasks := reports(); n != 2 || tasks != 2*len(others) {
		t.Errorf("%d reports of %d tasks after %v", n, tasks, gatherFor)
	}
	w.done(others[0], time.Second)
	w.done(speaker, time.Second)
	if _, tasks := reports(); tasks != 2*len(others)+2+2 {
		t.Errorf("%d tasks are reported when the middle has run some itself", tasks)
	}
}

// TestAKeptOfferIsAnswered: when its middle has asked in vain, and when nobody answers the middle.
func TestAKeptOfferIsAnswered(t *testing.T) {
	for _, silent := range []bool{false, true} {
		w, speaker, others := aRack(t, 3)
		w.deaf["home"] = silent
		w.know(others[0], "home", 8, time.Hour)
		w.know(speaker, "home", 8, time.Hour)
		begun := w.now
		for len(messages[NoWork](w, speaker, others[0])) == 0 {
			if w.now > begun+time.Second {
				t.Fatalf("silent %v: no answer after %v\n%v", silent, w.now-begun, w)
			}
			w.pass(10 * time.Millisecond)
		}
		if silent && w.now < begun+keepFor/2 {
			t.Errorf("given up after %v", w.now-begun)
		}
	}
}

// TestNobodyKeepsForWhoIsAskedBefore: those who wait for each other are no circle.
func TestNobodyKeepsForWhoIsAskedBefore(t *testing.T) {
	w, speaker, others := aRack(t, 3)
	w.deaf["home"] = true
	w.know(others[0], "home", 8, time.Hour)
	w.know(speaker, "home", 8, time.Hour)
	w.pass(10 * time.Millisecond)
	w.step(speaker, Candidates{})
	u := w.nodes[speaker].uplinkTo(others[0])
	u.offer = ask{n: 99}
	w.nodes[speaker].alarm(w.now)
	w.pass(10 * time.Millisecond)
	if got := messages[NoWork](w, others[0], speaker); len(got) != 1 {
		t.Errorf("who waits for the speaker keeps the speaker's offer\n%v", w)
	}
}

// TestWhoInvitesIsAskedItself: its work starts nowhere else, whoever speaks for the group and whoever fed us.
func TestWhoInvitesIsAskedItself(t *testing.T) {
	w, speaker, others := aRack(t, 3)
	c := w.nodes[others[0]]
	c.thief.feeder, c.thief.feedFor, c.thief.fedAt = speaker, speaker, w.now
	c.invited("home", time.Second)
	if p, source, ok := c.whom(); !ok || p != "home" || source != "home" {
		t.Errorf("asks %s for the work of %s", p, source)
	}
}

// TestWhoFedUsIsAskedAgain, but not before somebody nearer who has much, nor for long.
func TestWhoFedUsIsAskedAgain(t *testing.T) {
	w, speaker, others := aRack(t, 4)
	c, near := w.nodes[others[0]], others[1]
	c.thief.feeder, c.thief.feedFor, c.thief.fedAt = "home", "home", w.now
	for _, test := range []struct {
		surplus, later time.Duration
		want           PeerID
	}{{time.Second, 0, "home"}, {muchFrom, 0, near}, {time.Second, feedsFor, near}, {0, feedsFor, speaker}} {
		c.now = w.now + test.later
		c.thief.believe(c.now, []Candidate{{Peer: near, Level: 6, Surplus: test.surplus}})
		if p, _, ok := c.whom(); !ok || p != test.want {
			t.Errorf("%s has %v, %v after the last grant: asks %s, want %s", near, test.surplus, test.later, p, test.want)
		}
	}
}

// TestWhatCannotBeLentOnIsAskedForByNobodyElse: at the end of the tree of leases a middle would keep it.
func TestWhatCannotBeLentOnIsAskedForByNobodyElse(t *testing.T) {
	w, speaker, others := aRack(t, 3)
	c := w.nodes[speaker]
	d := c.downlinkTo(others[0])
	c.thief.feeder, c.thief.feedFor, c.thief.fedAt = "home", "home", c.now
	for depth := uint8(1); depth <= maxDepth; depth++ {
		c.thief.fedDepth = depth
		if c.keeps(d, &standing{came: c.now}) != (depth < maxDepth) {
			t.Errorf("fed at depth %d", depth)
		}
	}
}

// TestNothingIsKeptAfterATryInVain: whoever waits is told, and looks elsewhere itself.
func TestNothingIsKeptAfterATryInVain(t *testing.T) {
	w, speaker, others := aRack(t, 3)
	c := w.nodes[speaker]
	d := c.downlinkTo(others[0])
	for tries := range triesBeforeQuiet {
		c.thief.tries = tries
		if c.keeps(d, &standing{came: c.now}) != (tries == 0) {
			t.Errorf("after %d tries in vain", tries)
		}
	}
}

// TestDemandsStayInBounds, whatever peers say.
func TestDemandsStayInBounds(t *testing.T) {
	var n demand
	for range 5 {
		n.add(&Offer{Cores: 1<<31 - 1, Tasks: 1<<32 - 1, Time: 1<<63 - 1})
		n.add(&Offer{Cores: -1 << 31, Time: -1 << 63})
	}
	if n != (demand{demandMost, demandMost, demandMost * takeAhead}) {
		t.Errorf("%+v", n)
	}
}

// TestNobodyIsAGroupAlone: a member that sees itself nearer than all others is in no nearer group.
func TestNobodyIsAGroupAlone(t *testing.T) {
	var n near
	n.meet("b", []Member{{Peer: "a", Level: 8}, {Peer: "b"}, {Peer: "c", Level: 6}})
	if len(n.groups) != 2 || n.groups[0].level != 6 || len(n.groups[0].members) != 2 || n.groups[1].members != nil {
		t.Errorf("%+v", n.groups)
	}
}
