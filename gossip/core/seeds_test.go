package core

import (
	"fmt"
	"testing"
	"time"
)

func seed(i int) SeedLearned {
	return SeedLearned{Seed{ID: idOf(i), Addrs: []string{fmt.Sprintf("/ip4/10.0.0.%d/tcp/1", i)}}}
}

// redials lets time pass and returns when seeds were to be dialled, and which.
func redials(m *Machine, from, to time.Duration) (at []time.Duration, dialled map[ID]int) {
	dialled = make(map[ID]int)
	for now := from; now < to; now += 100 * time.Millisecond {
		for _, r := range effectsOf[Redial](m.Step(now, Tick{})) {
			at = append(at, now)
			for _, s := range r.Seeds {
				dialled[s.ID]++
			}
		}
	}
	return at, dialled
}

func TestLonelyNodesKeepTrying(t *testing.T) {
	m := alone(t)
	if at, _ := redials(m, 0, time.Minute); len(at) > 0 || m.NextWake() != Never {
		t.Fatalf("seeds: dials without a seed at %v", at)
	}
	for i := 1; i <= 5; i++ {
		m.Step(time.Minute, seed(i))
	}
	at, dialled := redials(m, time.Minute, time.Hour)
	if len(at) == 0 || at[0] > time.Minute+2*time.Second {
		t.Fatalf("seeds: the first try comes at %v", at)
	}
	for i := 1; i < len(at); i++ {
		if gap := at[i] - at[i-1]; gap < redialFirst/2 || gap > redialMost*16/10 {
			t.Errorf("seeds: %v between two tries", gap)
		}
	}
	if len(at) < 50 || len(at) > 80 {
		t.Errorf("seeds: %d tries in an hour", len(at))
	}
	for i := 1; i <= 5; i++ {
		if dialled[idOf(i)] == 0 {
			t.Errorf("seeds: %d is never tried", i)
		}
	}
}

// TestCompanyStillLooksForTheOthers: after a partition both halves have company.
func TestCompanyStillLooksForTheOthers(t *testing.T) {
	m := acquainted(t, 3)
	for i := 1; i <= 5; i++ {
		m.Step(0, seed(i))
	}
	m.Step(0, SeedLearned{Seed{Addrs: []string{"/dns4/seed/tcp/1"}}})
	m.Step(0, MemberGone{idOf(3), Left})
	at, dialled := redials(m, 0, time.Hour)
	if len(at) < 30 || len(at) > 60 {
		t.Errorf("seeds: %d tries in an hour in company", len(at))
	}
	if dialled[idOf(4)] == 0 || dialled[idOf(5)] == 0 || len(dialled) != 2 {
		t.Errorf("seeds: tried %v, want those that are not there and did not leave", dialled)
	}
	m.Step(time.Hour, MemberGone{idOf(1), Failed})
	m.Step(time.Hour, MemberGone{idOf(2), Failed})
	if at, _ := redials(m, time.Hour, time.Hour+time.Minute); len(at) < 4 || at[0] > time.Hour+2*time.Second {
		t.Errorf("seeds: left alone, tries at %v", at)
	}
}

// TestFailedMembersAreSeeds: their records say where they were.
func TestFailedMembersAreSeeds(t *testing.T) {
	m := alone(t)
	r := recordOf(1, 0)
	b := must(r.Encode())
	m.Step(0, MemberSeen{ID: idOf(1), State: Alive, Tag: Tag{Hash: HashOf(b)}})
	m.Step(0, RecordArrived{From: idOf(1), Encoded: b})
	m.Step(0, MemberGone{idOf(1), Failed})
	if _, dialled := redials(m, 0, time.Minute); dialled[idOf(1)] == 0 {
		t.Errorf("seeds: a member that failed is not called back")
	}
}

func TestSeedsAreBounded(t *testing.T) {
	m := alone(t)
	for i := range 3 * MaxSeeds {
		m.Step(0, seed(i%200))
		m.Step(0, SeedLearned{Seed{Addrs: []string{fmt.Sprint(i)}}})
	}
	if n := len(m.seeds.all); n != MaxSeeds {
		t.Errorf("bound: %d seeds", n)
	}
}

func TestCandidatesAreNearestFirst(t *testing.T) {
	m := acquainted(t, 5)
	for i, rtt := range []time.Duration{time.Second, time.Millisecond, 1, time.Millisecond, 1} {
		m.Step(0, Measured{idOf(i + 1), rtt})
	}
	entries := []Entry{about(2, 1, Surplus), about(3, 1, Surplus), about(4, 1, Surplus), about(5, 1, Starved)}
	entries[0].age, entries[2].age = 2*time.Second, time.Second
	own := about(1, 1, Surplus)
	m.Step(0, NewsArrived{Datagram: datagram{entries: append([]Entry{own}, entries...)}.encode()})
	var got []ID
	for _, c := range m.Candidates(Surplus, LevelRemote, 9) {
		got = append(got, c.ID)
	}
	if want := []ID{idOf(3), idOf(4), idOf(2), idOf(1)}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("candidates: %q, want %q", got, want)
	}
	if c := m.Candidates(Surplus, LevelZone, 2); len(c) != 2 || c[0].Level != LevelRack {
		t.Errorf("candidates: the first two within the zone: %+v", c)
	}
	if c := m.Candidates(Starved, LevelRack, 9); len(c) != 1 || c[0].ID != idOf(5) {
		t.Errorf("candidates: starved: %+v", c)
	}
	if c := m.Candidates(Surplus, LevelRemote, -1); len(c) != 0 {
		t.Errorf("candidates: %+v", c)
	}
}
