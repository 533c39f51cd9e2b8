package core

import (
	"math/rand/v2"
	"testing"
	"time"
)

// TestDigestsDoNotDependOnOrder: whatever way two nodes came to one view, they
// agree; and they differ as soon as one tag does.
func TestDigestsDoNotDependOnOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	build := func() *Machine {
		m := alone(t)
		for _, i := range r.Perm(50) {
			m.Step(0, seen(i+1, 1, 1, 1))
			m.Step(0, seen(i+1, 1, uint64(i), 2))
		}
		for _, i := range r.Perm(10) {
			m.Step(0, MemberGone{idOf(i + 1), Failed})
			if i < 5 {
				m.Step(0, MemberForgotten{idOf(i + 1)})
			}
		}
		return m
	}
	a, b := build(), build()
	if a.Digest() != b.Digest() || a.Buckets() != b.Buckets() {
		t.Errorf("digest: two ways to one view: %x, %x", a.Digest(), b.Digest())
	}
	all := make(map[ID]Tag)
	for i := range Buckets {
		for id, tag := range a.In(i) {
			if BucketOf(id) != i {
				t.Errorf("digest: %q is in bucket %d, not %d", id, i, BucketOf(id))
			}
			all[id] = tag
		}
	}
	if len(all) != a.Present() || a.Present() != 41 {
		t.Errorf("digest: the buckets hold %d of %d", len(all), a.Present())
	}
	suspect := seen(40, 1, 39, 2)
	suspect.State = Suspect
	if b.Step(0, suspect); a.Digest() != b.Digest() {
		t.Errorf("digest: a suspicion alone makes a difference")
	}
	if b.Step(0, seen(40, 1, 77, 2)); a.Digest() == b.Digest() {
		t.Errorf("digest: another tag makes none")
	}
}

func TestSyncOnlyWhenDifferencesPersist(t *testing.T) {
	m := acquainted(t, 5)
	sequence := uint32(0)
	hear := func(at time.Duration, digest uint64) []Sync {
		sequence++
		d := datagram{digest: digest, entries: []Entry{about(1+int(sequence)%5, sequence, 0)}}
		return effectsOf[Sync](m.Step(at, NewsArrived{Datagram: d.encode()}))
	}
	wrong := m.Digest() + 1
	at := time.Duration(0)
	for range 60 { // most peers agree
		at += time.Second
		digest := wrong
		if at%(3*time.Second) == 0 {
			digest = m.Digest()
		}
		if got := hear(at, digest); len(got) > 0 {
			t.Fatalf("sync: at %v although others agree", at)
		}
	}
	hear(at+time.Second, m.Digest())
	began := at + 2*time.Second
	var syncs []time.Duration
	for at = began; at < began+20*time.Minute; at += time.Second {
		for _, s := range hear(at, wrong) {
			syncs = append(syncs, at-began)
			if p, _ := m.Member(s.With); !p.State.Present() {
				t.Errorf("sync: with %q", s.With)
			}
			m.Step(at, SyncEnded(s))
		}
	}
	if len(syncs) == 0 || syncs[0] != DigestPatience {
		t.Fatalf("sync: everybody differs, syncs at %v, want the first at %v", syncs, DigestPatience)
	}
	for i := 1; i < len(syncs); i++ {
		if gap := syncs[i] - syncs[i-1]; gap < SyncGap*3/4 {
			t.Errorf("sync: %v after the one before", gap)
		}
	}
	if len(syncs) < 4 || len(syncs) > 9 {
		t.Errorf("sync: %d in 20 minutes that do not help, want them to become rare: %v", len(syncs), syncs)
	}
}

// TestSimulatedClustersAgree: whoever missed a member finds out and asks.
func TestSimulatedClustersAgree(t *testing.T) {
	w := quiet(t, 30, 13)
	for _, x := range w.nodes {
		if x.m.Digest() != w.nodes[0].m.Digest() {
			t.Fatalf("digest: node %d has another one", x.i)
		}
	}
	odd := w.nodes[4]
	tag := Tag{Incarnation: 1, Sequence: 1, Hash: Hash{1}}
	for _, x := range w.nodes {
		if x != odd {
			x.step(MemberSeen{ID: idOf(99), State: Suspect, Tag: tag})
			x.step(MemberGone{idOf(99), Left})
			x.step(MemberSeen{ID: idOf(98), State: Alive, Tag: tag})
			x.step(MemberGone{idOf(98), Failed})
			x.step(MemberSeen{ID: idOf(97), State: Alive, Tag: tag})
		}
	}
	w.byID[idOf(97)] = &node{w: w, deaf: true}
	began := w.now
	asked := w.runUntil(time.Minute, func() bool { return len(effectsOf[Sync](odd.seen)) > 0 })
	if !asked || w.now-began > 20*time.Second {
		t.Errorf("sync: the node that missed a member asked after %v: %v", w.now-began, asked)
	}
	others := 0
	for _, x := range w.nodes {
		others += len(effectsOf[Sync](x.seen))
	}
	if others > 1 {
		t.Errorf("sync: %d nodes asked, though one had missed something", others)
	}
}

// TestSilenceIsAskedAbout: a node that has company and hears nothing asks somebody, ever
// more slowly; one that hears of somebody now and then does not.
func TestSilenceIsAskedAbout(t *testing.T) {
	syncs := func(heard bool) (at []time.Duration) {
		m := acquainted(t, 5)
		for now := time.Duration(0); now < 10*time.Minute; now += time.Second {
			effects := effectsOf[Sync](m.Step(now, Tick{}))
			for _, s := range effects {
				at = append(at, now)
				m.Step(now, SyncEnded(s))
			}
			if heard && now%(Silence/2) == 0 {
				d := datagram{digest: m.Digest(), entries: []Entry{about(1, uint32(now/time.Second)+1, 0)}}
				m.Step(now, NewsArrived{Datagram: d.encode()})
			}
		}
		return at
	}
	if at := syncs(true); len(at) != 0 {
		t.Errorf("it asked at %v, and heard all the time", at)
	}
	if at := syncs(false); len(at) < 3 || len(at) > 10 || at[0] < Silence || at[0] > Silence+2*QuietInterval {
		t.Errorf("in ten silent minutes it asked at %v", at)
	}
}
