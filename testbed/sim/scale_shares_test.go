package sim

import (
	"testing"
	"time"
)

// TestNearStealsFirst: a home in each rack, some with much and some with little.
// What crosses racks is compared with nodes that do not know where anybody sits,
// which makes their choice of victims random, on the same work.
func TestNearStealsFirst(t *testing.T) {
	run := func(blind bool) *plant {
		s := atScale(200)
		s.perRack, s.racksPerZone, s.blind, s.args, s.results = 20, 5, blind, 64<<10, 4<<10
		p := newPlant(s)
		for rack := range s.nodes / s.perRack {
			p.bag("rack", rack*s.perRack+7, settled, uint64(1200+100*(rack%3)), 300*time.Millisecond, 0.5)
		}
		p.run(24 * time.Hour)
		if p.wrong != "" {
			t.Fatal(p.wrong)
		}
		t.Logf("blind %v: %v; grants by level %v, tasks %v, bytes %v", blind, p.now-settled, p.grants[1:], p.stolen[1:], p.bytes[1:])
		return p
	}
	crossed := func(p *plant) float64 { return float64(p.bytes[levelZone] + p.bytes[levelRemote]) }
	near, blind := run(false), run(true)
	ratio := crossed(blind) / crossed(near)
	t.Logf("bytes across racks fall by %.1f", ratio)
	if ratio < 3 {
		t.Errorf("bytes across racks fall by %.1f against a random choice, less than 3", ratio)
	}
	if near.now > blind.now*11/10 {
		t.Errorf("near steals take %v, random ones %v", near.now-settled, blind.now-settled)
	}
}

// TestShares: one task of one home beside a thousand of another's, and an owner's
// own tasks on a node that is full of its peers' work.
func TestShares(t *testing.T) {
	p := newPlant(atScale(20))
	many := p.bag("many", 3, settled, 1000, time.Second, 0.5)
	one := p.bag("one", 11, settled+3*time.Second, 1, time.Second, 0.5)
	own := p.bag("own", 16, settled+4*time.Second, 40, time.Second, 0.5)
	p.run(24 * time.Hour)
	if p.wrong != "" {
		t.Fatal(p.wrong)
	}
	for _, l := range []*load{many, one, own} {
		t.Logf("%-4s of %4d: first start after %v, mean wait %v, over after %v", l.name, l.n, l.firstRun.Round(time.Millisecond),
			(l.waited / time.Duration(l.starts)).Round(time.Millisecond), (l.over - l.begun).Round(time.Millisecond))
	}
	if one.firstRun > 3*time.Second {
		t.Errorf("the only task of a home waited for %v behind a thousand of another's", one.firstRun)
	}
	if most := 4 * time.Second; own.firstRun > most {
		t.Errorf("an owner's own tasks waited for %v behind its peers'", own.firstRun)
	}
}
