package core

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// acquainted returns a machine that knows members 1 to n, in their first
// incarnation.
func acquainted(t testing.TB, n int) *Machine {
	m := alone(t)
	for i := 1; i <= n; i++ {
		m.Step(0, seen(i, 1, 1, byte(i)))
	}
	return m
}

// from is a datagram whose first entry is member i's own.
func from(i int, sequence uint32, more ...Entry) NewsArrived {
	own := about(i, sequence, 0)
	return NewsArrived{Datagram: datagram{entries: append([]Entry{own}, more...)}.encode()}
}

func about(i int, sequence uint32, s Standing) Entry {
	return Entry{who: handleOf(idOf(i)), incarnation: 1, sequence: sequence, standing: s}
}

func standing(m *Machine, i int) Standing {
	p, _ := m.Member(idOf(i))
	return p.News.Standing
}

func TestReplayedNewsIsRefused(t *testing.T) {
	m := acquainted(t, 3)
	at := func(d time.Duration, e NewsArrived) { t.Helper(); m.Step(d, e); invariants(t, m) }
	at(0, from(1, 10, about(2, 5, Surplus)))
	if standing(m, 2) != Surplus {
		t.Fatal("good news was not believed")
	}
	at(time.Second, from(1, 10, about(2, 6, 0)))
	at(time.Second, from(1, 9, about(2, 6, 0)))
	if got := m.Stats().RefusedReplay; got != 2 || standing(m, 2) != Surplus {
		t.Errorf("replay: %d datagrams refused, want 2; belief %v", got, standing(m, 2))
	}
	at(time.Second, from(1, 11, about(2, 4, 0)))
	if got := m.Stats().EntriesKnown; got != 1 || standing(m, 2) != Surplus {
		t.Errorf("replay: an older entry replaced a newer one")
	}
	at(time.Second, from(1, 12, Entry{who: handleOf(idOf(2)), incarnation: 0, sequence: 99, standing: Starved}))
	if got := m.Stats().EntriesRefused; got != 1 || standing(m, 2) != Surplus {
		t.Errorf("replay: an entry of an older incarnation was believed")
	}
	m.Step(2*time.Second, seen(1, 2, 1, 9))
	at(2*time.Second, from(1, 13))
	if got := m.Stats().RefusedReplay; got != 3 {
		t.Errorf("replay: a datagram of an older incarnation was taken")
	}
}

// TestSequenceNumbersWrapAround: past the last number comes the first.
func TestSequenceNumbersWrapAround(t *testing.T) {
	m := acquainted(t, 3)
	last := ^uint32(0)
	m.Step(0, from(1, last-1, about(2, last, Surplus)))
	m.Step(time.Second, from(1, 0, about(2, 1, Starved)))
	if standing(m, 2) != Starved || m.Stats().RefusedReplay != 0 {
		t.Errorf("wrap: after the last number the next is not taken as newer: %v", standing(m, 2))
	}
	m.Step(2*time.Second, from(1, last, about(2, last, Surplus)))
	if standing(m, 2) != Starved || m.Stats().RefusedReplay != 1 {
		t.Errorf("wrap: a number from before the end was taken as newer: %v", standing(m, 2))
	}
}

// TestForgedNewsDoesNotLast: a member's numbers are pushed far ahead by somebody
// else who knows the key. The member goes on from there; and whoever it does not
// reach forgets the lie with its age.
func TestForgedNewsDoesNotLast(t *testing.T) {
	m := acquainted(t, 3)
	m.Step(0, from(1, 1, about(2, 1<<30, Surplus)))
	m.Step(time.Second, from(2, 2))
	if standing(m, 2) != Surplus {
		t.Fatal("the lie was not told well enough")
	}
	m.Step(MaxAge, from(1, 2, about(2, 40, Starved)))
	if standing(m, 2) != Starved {
		t.Errorf("forged: still believed after %v: %v", MaxAge, standing(m, 2))
	}

	victim := acquainted(t, 3)
	victim.Step(0, from(1, 1, about(0, 1<<30, Surplus)))
	var own uint32
	for _, s := range effectsOf[SendNews](victim.Step(2*time.Second, Tick{})) {
		d, _ := decodeNews(s.Datagram)
		own = d.entries[0].sequence
	}
	if own != 1<<30+1 || victim.Stats().Refuted != 1 {
		t.Errorf("forged: the victim goes on with %d", own)
	}
	if mine, _ := victim.Member(idOf(0)); mine.News.Standing != 0 {
		t.Errorf("forged: a node believes of itself what another says")
	}
}

func TestNewsOfStrangersIsRefused(t *testing.T) {
	m := acquainted(t, 3)
	m.Step(0, from(7, 1, about(2, 1, Surplus)))
	m.Step(0, NewsArrived{From: idOf(3), Datagram: from(1, 1, about(2, 1, Surplus)).Datagram})
	m.Step(0, NewsArrived{Datagram: []byte("GET / HTTP/1.1")})
	m.Step(0, MemberGone{idOf(3), Left})
	m.Step(0, from(3, 1, about(2, 1, Surplus)))
	s := m.Stats()
	if s.RefusedStranger != 2 || s.RefusedForged != 1 || s.RefusedMalformed != 1 || s.NewsReceived != 0 || standing(m, 2) != 0 {
		t.Errorf("stranger: %+v", s)
	}
}

// TestForgedEntriesDoNotGrowAnything: the attacker has the key and all the time in the
// world.
func TestForgedEntriesDoNotGrowAnything(t *testing.T) {
	m := acquainted(t, 20)
	r := rand.New(rand.NewPCG(4, 4))
	members, sent := len(m.roster.byID), m.Stats().NewsSent
	const rounds = 20_000
	for i := range rounds {
		e := from(1, uint32(i+1))
		d, _ := decodeNews(e.Datagram)
		for range MaxEntries - 1 {
			d.entries = append(d.entries, Entry{who: handle(r.Uint64()), incarnation: 1, sequence: r.Uint32(), standing: Surplus})
		}
		d.entries[2] = about(2, uint32(i+1), Standing(i%2)) // surplus of a real one, on and off
		e.Datagram = d.encode()
		m.Step(time.Duration(i)*time.Millisecond, e)
	}
	if len(m.roster.byID) != members || len(m.roster.byHandle) != members {
		t.Errorf("bound: forged entries made %d members of %d", len(m.roster.byID), members)
	}
	seconds := uint64(rounds / 1000)
	most := seconds*10/8 + UrgentBurst + seconds/uint64(UrgentEvery/time.Second) + 2
	if got := m.Stats().NewsSent - sent; got > most {
		t.Errorf("bound: %d datagrams sent in %d s of forged news, want at most %d", got, seconds, most)
	}
	if m.Stats().EntriesUnknown == 0 {
		t.Error("nothing was refused")
	}
	invariants(t, m)
}

func TestNewsIsForgottenWithItsAge(t *testing.T) {
	m := acquainted(t, 2)
	old := about(2, 1, Surplus)
	old.age = MaxAge
	m.Step(0, from(1, 1, old))
	if standing(m, 2) != 0 || m.Stats().EntriesExpired != 1 {
		t.Errorf("age: news of %v was believed", old.age)
	}
	old.age = MaxAge / 2
	m.Step(0, from(1, 2, old))
	m.Step(MaxAge/2-time.Millisecond, Tick{})
	if got := m.Candidates(Surplus, LevelRemote, 5); len(got) != 1 || got[0].News.Age != MaxAge-time.Millisecond {
		t.Errorf("age: just before its end: %+v", got)
	}
	m.Step(MaxAge/2, Tick{})
	if got := m.Candidates(Surplus, LevelRemote, 5); len(got) != 0 {
		t.Errorf("age: believed for longer than %v: %+v", MaxAge, got)
	}
}

// TestAgesAddUp: an entry that is passed on is as old as all its stays together.
func TestAgesAddUp(t *testing.T) {
	m := acquainted(t, 2)
	e := about(2, 1, Surplus)
	e.age = 3 * time.Second
	m.Step(0, from(1, 1, e))
	for at := 100 * time.Millisecond; at < 20*time.Second; at += 100 * time.Millisecond {
		for _, s := range effectsOf[SendNews](m.Step(at, Tick{})) {
			d, err := decodeNews(s.Datagram)
			if err != nil {
				t.Fatal(err)
			}
			i := slices.IndexFunc(d.entries, func(e Entry) bool { return e.who == handleOf(idOf(2)) })
			if s.To == idOf(2) && i >= 0 {
				t.Errorf("age: told a member about itself")
			}
			if want := (3*time.Second + at).Truncate(ageUnit); i >= 0 && d.entries[i].age != want {
				t.Fatalf("age: passed on as %v old after %v, want %v", d.entries[i].age, at, want)
			}
		}
	}
}

// TestSurplusThatEndedIsPassedOn, so that nobody who heard of it keeps asking.
func TestSurplusThatEndedIsPassedOn(t *testing.T) {
	w := quiet(t, 50, 21)
	w.nodes[7].set(full)
	w.run(20 * time.Second)
	w.nodes[7].set(idle)
	deceived := func() (n int) {
		for _, x := range w.nodes {
			n += len(x.m.Candidates(Surplus, LevelRemote, 1))
		}
		return n
	}
	before := deceived()
	w.run(10 * time.Second)
	if after := deceived(); before != 49 || after > 5 {
		t.Errorf("settled: %d believed in the surplus, 10 s after its end %d", before, after)
	}
}

func TestQuietClustersSlowDown(t *testing.T) {
	m := acquainted(t, 5)
	turns := func(from, to time.Duration) (n int) {
		for at := from; at < to; at += 10 * time.Millisecond {
			n += len(effectsOf[SendNews](m.Step(at, Tick{})))
		}
		return n
	}
	turns(0, time.Minute)
	if got := turns(time.Minute, 2*time.Minute); got < 17 || got > 23 {
		t.Errorf("pace: %d turns in a quiet minute, want about %d", got, time.Minute/QuietInterval)
	}
	m.Step(2*time.Minute, from(1, 1, about(2, 1, Surplus)))
	if wake := m.NextWake(); wake > 2*time.Minute+NewsInterval*12/10 {
		t.Errorf("pace: the turn that was far off is not brought forward: %v", wake)
	}
	if got := turns(2*time.Minute, 2*time.Minute+10*time.Second); got < 8 || got > 13+UrgentBurst {
		t.Errorf("pace: %d turns in ten seconds with surplus about", got)
	}
	m.Step(3*time.Minute, Leaving{})
	if got := turns(3*time.Minute, 4*time.Minute); got != 0 || m.NextWake() != Never {
		t.Errorf("pace: %d turns while leaving", got)
	}
}

// TestRacksAreToldMoreOften: half of the turns go to the rack, and the others do
// not starve.
func TestRacksAreToldMoreOften(t *testing.T) {
	m := alone(t)
	for i := 1; i <= 100; i++ {
		r := recordOf(i, min(i/10, 1))
		b := must(r.Encode())
		m.Step(0, MemberSeen{ID: idOf(i), State: Alive, Tag: Tag{Hash: HashOf(b)}})
		m.Step(0, RecordArrived{From: idOf(i), Encoded: b})
	}
	near, all := 0, 0
	for at := time.Duration(0); at < 2000*time.Second; at += 100 * time.Millisecond {
		for _, s := range effectsOf[SendNews](m.Step(at, Tick{})) {
			if p, _ := m.Member(s.To); p.Level == LevelRack {
				near++
			}
			all++
		}
	}
	if share := 100 * near / all; share < 47 || share > 62 {
		t.Errorf("bias: %d %% of %d turns went to nine of a hundred in the rack, want about 55", share, all)
	}
	invariants(t, m)
}

func TestStandingHasSlack(t *testing.T) {
	for _, test := range []struct {
		was  Standing
		load Load
		want Standing
	}{
		{0, Load{}, 0},
		{0, Load{FreeCores: 1}, Starved},
		{Starved, Load{FreeCores: 1, Waiting: 1}, 0},
		{0, Load{Waiting: 5, Queued: SurplusOn}, Surplus},
		{0, Load{Waiting: 5, Queued: SurplusOn - 1}, 0},
		{Surplus, Load{Waiting: 5, Queued: SurplusOn - 1}, Surplus},
		{Surplus, Load{Waiting: 5, Queued: SurplusOff - 1}, 0},
		{Surplus, Load{Waiting: 0, Queued: time.Hour}, 0},
		{Surplus, Load{Waiting: 5, Queued: time.Hour, FreeCores: 1}, 0},
	} {
		if got := test.load.Standing(test.was); got != test.want {
			t.Errorf("standing: %+v after %d is %d, want %d", test.load, test.was, got, test.want)
		}
	}
}

// FuzzNewsArrived: whatever is in a datagram, the machine stays sound.
func FuzzNewsArrived(f *testing.F) {
	f.Add(from(1, 1, about(2, 1, Surplus), about(0, 9, Starved)).Datagram, uint16(5))
	f.Fuzz(func(t *testing.T, b []byte, ms uint16) {
		m := acquainted(t, 3)
		for i := range time.Duration(2) {
			now := i * time.Duration(ms) * time.Millisecond
			m.Step(now, NewsArrived{Datagram: slices.Clone(b)})
			if m.NextWake() <= now {
				t.Fatalf("spin: %v", m.NextWake())
			}
		}
		invariants(t, m)
		if len(m.roster.byID) != 3 {
			t.Fatalf("bound: %d members", len(m.roster.byID))
		}
	})
}
