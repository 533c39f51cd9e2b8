package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/filchsched/filch/node/control"
	"github.com/filchsched/filch/steal/core"
)

func TestWhereCommandsMayRunIsSaidInNamesAndLabels(t *testing.T) {
	members := []control.Member{
		{Name: "n1", ID: "id1", Self: true}, {Name: "n2", ID: "id2"}, {Name: "twin", ID: "id3"}, {Name: "twin", ID: "id4"},
		{Name: "old", ID: "id5", State: control.StateLeft},
	}
	node := control.Node{ID: "id1", Labels: map[string]string{"rack": "r1", "zone": "z1"}}
	for _, c := range []struct {
		name string
		o    spreadOptions
		node control.Node
		want core.Where
		err  string
	}{
		{name: "anywhere", node: node},
		{name: "by name and ID", o: spreadOptions{on: []string{"n2", "id4"}, avoid: []string{"n1"}}, node: node,
			want: core.Where{On: []core.PeerID{"id2", "id4"}, Avoid: []core.PeerID{"id1"}}},
		{name: "unknown", o: spreadOptions{on: []string{"n9"}}, node: node, err: `--on: there is no node "n9"; there are: n1, n2, twin`},
		{name: "left", o: spreadOptions{avoid: []string{"old"}}, node: node, err: `--avoid: there is no node "old"`},
		{name: "twins", o: spreadOptions{on: []string{"twin"}}, node: node, err: "several nodes are called \"twin\": give the ID of one: id3, id4"},
		{name: "labels", o: spreadOptions{require: []string{"gpu=a"}, maxRun: 7}, node: node, want: core.Where{Require: []string{"gpu=a"}, MaxRunning: 7}},
		{name: "host", o: spreadOptions{maxLevel: levelHost}, node: node, want: core.Where{Local: true}},
		{name: "rack", o: spreadOptions{maxLevel: levelRack}, node: node, want: core.Where{Require: []string{"rack=r1", "zone=z1"}}},
		{name: "zone", o: spreadOptions{maxLevel: levelZone}, node: node, want: core.Where{Require: []string{"zone=z1"}}},
		{name: "no rack", o: spreadOptions{maxLevel: levelRack}, err: `has no label "rack": give it one with filch up --label rack=…`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.o.where(c.node, members)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("%v, want something with %q", err, c.err)
				}
				return
			}
			if err != nil || !slices.Equal(got.On, c.want.On) || !slices.Equal(got.Avoid, c.want.Avoid) || !slices.Equal(got.Require, c.want.Require) ||
				got.Local != c.want.Local || got.MaxRunning != c.want.MaxRunning {
				t.Errorf("%+v, %v; want %+v", got, err, c.want)
			}
		})
	}
}

func TestAProofIsAFileThatOnlyItsOwnerReadsAndThatGoesAway(t *testing.T) {
	dir := t.TempDir()
	p, err := newProof(dir)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, p.dir.File))
	if err != nil || string(b) != string(p.dir.Nonce[:]) || p.dir.Path != dir || !strings.HasPrefix(p.dir.File, proofPrefix) {
		t.Errorf("%q, %v; %+v", b, err, p.dir)
	}
	if info, _ := os.Stat(p.path()); info.Mode().Perm()&0o077 != 0 {
		t.Errorf("mode %v", info.Mode())
	}
	p.remove()
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
	if _, err := newProof(filepath.Join(dir, "gone")); err == nil {
		t.Error("a proof in a directory that is not there")
	}
}

func TestNoMoreErrandsAreUnderWayThanThereIsRoomFor(t *testing.T) {
	var q errands
	q.init(2)
	for range 2 {
		if !q.add(t.Context(), &errand{}) {
			t.Fatal("there is room")
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if q.add(ended, &errand{}) {
		t.Fatal("there is no room")
	}
	q.forget(0)
	q.forget(0) // told twice
	if !q.add(t.Context(), &errand{}) || q.next != 3 {
		t.Fatal("there is room again")
	}
	q.close()
	select {
	case <-q.done:
		t.Fatal("two are under way")
	default:
	}
	q.forget(1)
	q.forget(2)
	<-q.done
}

func TestMemoryIsHadByAsManyAsFit(t *testing.T) {
	r := room{free: 10}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if !r.take(t.Context(), 6) || r.take(ended, 6) {
		t.Fatal("one of two fits")
	}
	got := make(chan bool)
	go func() { got <- r.take(t.Context(), 6) }()
	r.give(6)
	if !<-got {
		t.Error("the second has no room after the first")
	}
}
