package core

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"
)

// alone returns a machine that knows nobody; its index is 0.
func alone(t testing.TB) *Machine {
	return newWorld(t, 1, 1).nodes[0].m
}

func seen(i int, incarnation, sequence uint64, content byte) MemberSeen {
	return MemberSeen{ID: idOf(i), State: Alive, Tag: Tag{Incarnation: incarnation, Sequence: sequence, Hash: Hash{content}}}
}

// effectsOf returns those of type E.
func effectsOf[E Effect](all []Effect) (some []E) {
	for _, e := range all {
		if f, ok := e.(E); ok {
			some = append(some, f)
		}
	}
	return some
}

func TestOldTagsAreRefused(t *testing.T) {
	for _, test := range []struct {
		name         string
		first, then  MemberSeen
		taken        bool
		rolled, fork uint64
	}{
		{"the same again", seen(1, 2, 2, 1), seen(1, 2, 2, 1), true, 0, 0},
		{"a next sequence", seen(1, 2, 2, 1), seen(1, 2, 3, 2), true, 0, 0},
		{"a next incarnation, whose sequence begins anew", seen(1, 2, 9, 1), seen(1, 3, 1, 2), true, 0, 0},
		{"a lower sequence", seen(1, 2, 2, 1), seen(1, 2, 1, 2), false, 1, 0},
		{"an older incarnation with a high sequence", seen(1, 2, 2, 1), seen(1, 1, 99, 2), false, 1, 0},
		{"around the end", seen(1, 2, 1<<64-1, 1), seen(1, 2, 0, 2), false, 1, 0},
		{"another record in its place", seen(1, 2, 2, 1), seen(1, 2, 2, 2), false, 0, 1},
	} {
		m := alone(t)
		m.Step(0, test.first)
		m.Step(time.Second, test.then)
		got, _ := m.Member(idOf(1))
		want := test.first.Tag
		if test.taken {
			want = test.then.Tag
		}
		s := m.Stats()
		if got.Tag != want || s.TagsRolledBack != test.rolled || s.TagsForked != test.fork {
			t.Errorf("rollback: %s: tag (%d, %d), rolled back %d, forked %d", test.name, got.Tag.Incarnation, got.Tag.Sequence, s.TagsRolledBack, s.TagsForked)
		}
		if err := Follow(test.first.Tag, test.then.Tag); (err == nil) != test.taken {
			t.Errorf("rollback: %s: Follow says %v", test.name, err)
		}
		invariants(t, m)
	}
}

// TestGoneMembersKeepTheirTag: who waits until a member has left gains nothing.
func TestGoneMembersKeepTheirTag(t *testing.T) {
	m := alone(t)
	m.Step(0, seen(1, 2, 2, 1))
	m.Step(0, MemberGone{idOf(1), Left})
	m.Step(0, seen(1, 1, 9, 2))
	if got, _ := m.Member(idOf(1)); got.State != Left || m.Stats().TagsRolledBack != 1 {
		t.Errorf("rollback: a member that left came back as %v with an old tag", got.State)
	}
	m.Step(0, seen(1, 3, 1, 2))
	if got, _ := m.Member(idOf(1)); got.State != Alive {
		t.Errorf("a member that was started again is %v", got.State)
	}
	m.Step(0, MemberForgotten{idOf(1)})
	if _, ok := m.Member(idOf(1)); ok {
		t.Error("a forgotten member is still there")
	}
	invariants(t, m)
}

func TestMembersAreBounded(t *testing.T) {
	m := alone(t)
	for i := range MaxMembers + 100 {
		m.Step(0, seen(i+1, 1, 1, 1))
	}
	if n := len(m.Members()); n != MaxMembers+1 || m.Stats().MembersRefused != 100 {
		t.Errorf("bound: %d members, %d refused", n, m.Stats().MembersRefused)
	}
	for i := range MaxMembers / 2 {
		m.Step(0, MemberGone{idOf(i + 1), Failed})
	}
	if n := len(m.roster.gone); n != MaxGone {
		t.Errorf("bound: %d gone members are remembered, want %d", n, MaxGone)
	}
	invariants(t, m)
}

// TestIncarnationThatWasLost: a data directory from a backup must not make a node
// invisible.
func TestIncarnationThatWasLost(t *testing.T) {
	m := alone(t)
	mine := func(incarnation, sequence uint64) MemberSeen {
		return MemberSeen{ID: idOf(0), State: Alive, Tag: Tag{Incarnation: incarnation, Sequence: sequence}}
	}
	own, _ := m.Own()
	if got := effectsOf[RaiseIncarnation](m.Step(0, MemberSeen{ID: idOf(0), State: Alive, Tag: own})); len(got) != 0 {
		t.Errorf("incarnation: raised for its own tag: %v", got)
	}
	if got := effectsOf[RaiseIncarnation](m.Step(0, mine(7, 3))); len(got) != 1 || got[0].Above != 7 {
		t.Errorf("incarnation: seen with 7, raised: %v", got)
	}
	if got := effectsOf[RaiseIncarnation](m.Step(0, mine(7, 3))); len(got) != 0 {
		t.Errorf("incarnation: raised twice: %v", got)
	}
	got := effectsOf[Announce](m.Step(0, IncarnationRaised{8}))
	if len(got) != 1 || got[0].Tag.Incarnation != 8 || HashOf(got[0].Encoded) != got[0].Tag.Hash {
		t.Errorf("incarnation: raised to 8, announced %+v", got)
	}
	if tag, _ := m.Own(); tag.Incarnation != 8 || tag.Sequence != 1 {
		t.Errorf("incarnation: own tag is (%d, %d)", tag.Incarnation, tag.Sequence)
	}
	invariants(t, m)
}

func TestAnnouncementsAreRare(t *testing.T) {
	m := alone(t)
	named := func(s string) RecordChanged { r := recordOf(0, 0); r.Name = s; return RecordChanged{r} }
	if got := effectsOf[Announce](m.Step(time.Second, named("a"))); len(got) != 1 || got[0].Tag.Sequence != 2 {
		t.Fatalf("the first change was announced as %+v", got)
	}
	announced := 0
	for at := 2 * time.Second; at < 62*time.Second; at += 100 * time.Millisecond {
		announced += len(effectsOf[Announce](m.Step(at, named(fmt.Sprint(at)))))
	}
	if announced > 12 || announced < 10 {
		t.Errorf("announced: %d times in a minute of changes", announced)
	}
	m.Step(5*time.Minute, named("b"))
	m.Step(5*time.Minute+time.Second, named("c"))
	m.Step(5*time.Minute+2*time.Second, named("b"))
	if wake := m.self.due; wake != Never {
		t.Errorf("announced: a change that was taken back is due at %v", wake)
	}
	broken := recordOf(0, 0)
	broken.Addrs = make([]string, MaxAddrs+1)
	if m.CheckOwn(broken) == nil || len(effectsOf[Announce](m.Step(time.Hour, RecordChanged{broken}))) > 0 {
		t.Error("announced: a record beyond its limits")
	}
}

// TestRecordsReachEverybody: a burst join, and then a change at one node.
func TestRecordsReachEverybody(t *testing.T) {
	const n = 60
	w := newWorld(t, n, 5)
	missing := func() (all int) {
		for _, x := range w.nodes {
			for _, y := range w.nodes {
				if p, _ := x.m.Member(y.m.self.id); p.Record == nil || HashOf(must(p.Record.Encode())) != y.m.self.tag.Hash {
					all++
				}
			}
		}
		return all
	}
	w.meet()
	w.run(5 * time.Second)
	if got := missing(); got > 0 {
		t.Errorf("records: %d of %d pairs lack one 5 s after a burst join", got, n*n)
	}
	fetches, asked := 0, 0
	for _, x := range w.nodes {
		fetches += x.fetches
		asked += len(x.asked)
	}
	t.Logf("a burst join of %d: %.1f fetches per node, from %.1f different peers", n, float64(fetches)/n, float64(asked)/n)
	if asked > n*n/4 {
		t.Errorf("fetch: each node asked %d of %d others, one by one", asked/n, n-1)
	}
	r := recordOf(3, 0)
	r.Name = "renamed"
	before := w.nodes[3].m.Stats().Announcements
	w.nodes[3].step(RecordChanged{r})
	tag, _ := w.nodes[3].m.Own()
	asks := 0
	for _, x := range w.nodes {
		asks -= x.fetches
		if x.i != 3 {
			x.step(MemberSeen{ID: idOf(3), State: Alive, Tag: tag})
		}
	}
	w.run(6 * time.Second)
	for _, x := range w.nodes {
		asks += x.fetches
		invariants(t, x.m)
	}
	if got := missing(); got > 0 || w.nodes[3].m.Stats().Announcements != before+1 {
		t.Errorf("records: %d nodes lack the new one after 6 s", got)
	}
	t.Logf("%d fetches for one changed record at %d nodes", asks, n)
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

// TestRecordsMustBeTheirOwners lists records that nobody wants.
func TestRecordsMustBeTheirOwners(t *testing.T) {
	own := recordOf(1, 0)
	own.Incarnation, own.Sequence = 4, 1
	good := must(own.Encode())
	other := own
	other.Name = "another"
	stranger := own
	stranger.ID = idOf(9)
	later := own
	later.Sequence = 2
	for _, test := range []struct {
		name    string
		encoded []byte
		tagged  []byte // of which the tag has the hash
		taken   bool
	}{
		{"as its tag says", good, good, true},
		{"of another hash", must(other.Encode()), good, false},
		{"of a stranger", must(stranger.Encode()), must(stranger.Encode()), false},
		{"of another position than the tag", must(later.Encode()), must(later.Encode()), false},
		{"no record", []byte{1, 2, 3}, []byte{1, 2, 3}, false},
	} {
		m := alone(t)
		m.Step(0, MemberSeen{ID: idOf(1), State: Alive, Tag: Tag{Incarnation: 4, Sequence: 1, Hash: HashOf(test.tagged)}})
		m.Step(0, RecordArrived{From: idOf(1), Encoded: test.encoded})
		got, _ := m.Member(idOf(1))
		if (got.Record != nil) != test.taken || (m.Stats().RecordsRefused == 0) != test.taken {
			t.Errorf("owner: a record %s: taken %v, want %v", test.name, got.Record != nil, test.taken)
		}
		m.Step(0, RecordArrived{From: idOf(1), Encoded: good})
		if refused := m.Stats().RecordsRefused; test.taken && refused != 1 {
			t.Errorf("owner: a record that nobody wants any more was not refused")
		}
		invariants(t, m)
	}
}

// TestOneFetchAtATime: a peer that does not answer costs a time-out, not more streams.
func TestOneFetchAtATime(t *testing.T) {
	m := alone(t)
	for i := 1; i <= 3*MaxFetch; i++ {
		m.Step(0, seen(i, 1, 1, byte(i)))
	}
	var out, ends int
	for at := time.Duration(0); at < time.Minute; at += 10 * time.Millisecond {
		for _, f := range effectsOf[FetchRecords](m.Step(at, Tick{})) {
			out++
			if len(f.Hashes) > MaxFetch || len(f.Hashes) == 0 {
				t.Errorf("fetch: %d hashes at once", len(f.Hashes))
			}
		}
		ends = int(m.Stats().FetchesFailed)
		if out-ends > 1 {
			t.Fatalf("fetch: %d are out at a time", out-ends)
		}
	}
	if out < 10 || out > 13 {
		t.Errorf("fetch: %d in a minute of silence, want one per %v", out, FetchTimeout)
	}
	invariants(t, m)
}

// TestHopelessRecordsHoldNobodyUp: one owner never answers; another one's record
// comes in seconds all the same.
func TestHopelessRecordsHoldNobodyUp(t *testing.T) {
	m := acquainted(t, 1)
	r := recordOf(2, 0)
	encoded := must(r.Encode())
	asked, appeared := 0, 10*time.Minute
	for now := time.Duration(0); now < appeared+time.Minute; now += 50 * time.Millisecond {
		effects := m.Step(now, Tick{})
		if now == appeared {
			effects = append(effects, m.Step(now, MemberSeen{ID: idOf(2), State: Alive, Tag: Tag{Hash: HashOf(encoded)}})...)
		}
		for _, f := range effectsOf[FetchRecords](effects) {
			asked++
			if f.From == idOf(2) {
				m.Step(now, RecordArrived{From: f.From, Encoded: encoded})
			}
			m.Step(now, FetchEnded{f.From})
		}
		if p, _ := m.Member(idOf(2)); p.Record != nil {
			if now > appeared+5*time.Second {
				t.Errorf("fetch: took %v", now-appeared)
			}
			if asked < 12 || asked > 40 {
				t.Errorf("fetch: asked %d times in ten minutes for what nobody has", asked)
			}
			return
		}
	}
	t.Errorf("fetch: the second record has not come after a minute")
}

// invariants holds what must be so after every step.
func invariants(t testing.TB, m *Machine) {
	t.Helper()
	var d digest
	d.flip(m.self.id, m.self.handle, m.self.tag)
	present, near, gone, wanting, cached := 0, 0, 0, 0, 0
	for id, p := range m.roster.byID {
		if p.id != id || m.roster.byHandle[p.handle] != p {
			t.Errorf("invariant: %q is filed wrongly", id)
		}
		if p.state.Present() {
			present++
			d.flip(p.id, p.handle, p.tag)
			if !at(m.roster.present, p.inPresent, p) {
				t.Errorf("invariant: %q is not where it says", id)
			}
		} else if gone++; !slices.Contains(m.roster.gone, p) || p.want.wanted || p.belief.heard {
			t.Errorf("invariant: gone %q is wanted, believed or not among the gone", id)
		}
		if p.inNear >= 0 {
			near++
			if !at(m.roster.near, p.inNear, p) || p.level > LevelRack || !p.state.Present() {
				t.Errorf("invariant: %q is not near", id)
			}
		}
		if p.want.wanted {
			wanting++
			if !at(m.fetch.wanting, p.want.index, p) || p.encoded != nil {
				t.Errorf("invariant: %q is wanted wrongly", id)
			}
		}
		cached += len(p.encoded)
	}
	if present != len(m.roster.present) || near != len(m.roster.near) || gone != len(m.roster.gone) || wanting != len(m.fetch.wanting) || len(m.roster.byHandle) != len(m.roster.byID) {
		t.Errorf("invariant: lists and members differ: %d %d, %d %d, %d %d, %d %d", present, len(m.roster.present), near, len(m.roster.near), gone, len(m.roster.gone), wanting, len(m.fetch.wanting))
	}
	if cached != m.fetch.cached {
		t.Errorf("invariant: %d bytes are cached, counted %d", cached, m.fetch.cached)
	}
	if d != m.digest {
		t.Errorf("invariant: the digest is not that of the members")
	}
	if len(m.seeds.all) > MaxSeeds || len(m.roster.byID) > MaxMembers {
		t.Errorf("invariant: %d seeds, %d members", len(m.seeds.all), len(m.roster.byID))
	}
}

// at says that p is the i-th of all.
func at(all []*peer, i int, p *peer) bool { return i >= 0 && i < len(all) && all[i] == p }

// play lets a machine live through random events, and returns all effects.
func play(t testing.TB, seed uint64, steps int) (all []Effect) {
	m := alone(t)
	r := rand.New(rand.NewPCG(seed, 99))
	now := time.Duration(0)
	for range steps {
		now += time.Duration(r.Int64N(int64(300 * time.Millisecond)))
		i := r.IntN(12)
		var e Event
		switch r.IntN(12) {
		case 0, 1, 2:
			e = MemberSeen{ID: idOf(i), State: State(1 + r.IntN(2)), Tag: Tag{Incarnation: uint64(r.IntN(3)), Sequence: uint64(r.IntN(4)), Hash: Hash{byte(r.IntN(2))}}, RTT: time.Duration(r.Int64N(int64(5 * time.Millisecond)))}
		case 3:
			e = MemberGone{idOf(i), State(3 + r.IntN(2))}
		case 4:
			e = MemberForgotten{idOf(i)}
		case 5:
			e = LoadChanged{[]Load{idle, busy, full}[r.IntN(3)]}
		case 6:
			record := recordOf(0, r.IntN(3))
			e = RecordChanged{record}
		case 7:
			e = FetchEnded{idOf(i)}
		case 8:
			record := recordOf(i, r.IntN(2))
			e = RecordArrived{From: idOf(r.IntN(12)), Encoded: must(record.Encode())}
		case 9, 10:
			d := datagram{digest: m.Digest() + uint64(r.IntN(2))}
			for range 1 + r.IntN(5) {
				d.entries = append(d.entries, Entry{who: handleOf(idOf(r.IntN(14))), incarnation: uint16(r.IntN(3)), sequence: r.Uint32(), standing: Standing(r.IntN(3)), age: time.Duration(r.Int64N(int64(40 * time.Second)))})
			}
			e = NewsArrived{From: "", Datagram: d.encode()}
		default:
			e = SeedLearned{Seed{ID: idOf(i), Addrs: []string{"a"}}}
		}
		all = append(all, m.Step(now, e)...)
		if m.NextWake() <= now {
			t.Fatalf("spin: at %v asks for %v (seed %d)", now, m.NextWake(), seed)
		}
		if invariants(t, m); t.Failed() {
			t.Fatalf("after %T (seed %d)", e, seed)
		}
	}
	return all
}

func TestInvariantsHoldWhateverHappens(t *testing.T) {
	for seed := range uint64(40) {
		play(t, seed, 400)
	}
}

// TestStepsFollowFromTheSeed: without it no failure could be replayed.
func TestStepsFollowFromTheSeed(t *testing.T) {
	if a, b := play(t, 3, 2000), play(t, 3, 2000); !reflect.DeepEqual(a, b) {
		t.Error("replay: two runs of one seed differ")
	}
}
