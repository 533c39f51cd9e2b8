package core

import (
	"strconv"
	"testing"
	"time"

	"github.com/filchsched/filch/exec/task"
)

// BenchmarkCallThroughBothCores is what deciding costs for one call that is
// submitted here and run by a peer: offers, grants, starts, outcomes, commits, at
// both ends, without encoding or a network.
func BenchmarkCallThroughBothCores(b *testing.B) {
	now := time.Hour
	home := New(Config{ID: "home", Incarnation: 1, Kinds: []task.Kind{task.KindFunc}}, now)
	thief := New(Config{ID: "thief", Incarnation: 1, Cores: 64, Kinds: []task.Kind{task.KindFunc}}, now)
	nodes := map[PeerID]*Core{"home": home, "thief": thief}
	type letter struct {
		to PeerID
		ev Event
	}
	var post []letter
	var runs []Run
	committed := 0
	step := func(id PeerID, ev Event) {
		for _, e := range nodes[id].Step(now, ev) {
			switch e := e.(type) {
			case Send:
				post = append(post, letter{e.To, Received{From: id, Up: e.Up, Frame: e.Frame}})
			case Run:
				runs = append(runs, e)
			case Commit:
				committed += int(e.Piece.Len())
			}
		}
	}
	list := []Member{{Peer: "home"}, {Peer: "thief"}}
	step("home", Members{list})
	step("thief", Members{list})
	step("home", Submit{Ref: 1, Terms: Terms{Name: "f", Kind: task.KindFunc, Estimate: time.Microsecond}, N: 1})
	job := home.jobOrder[0].id
	b.ReportAllocs()
	b.ResetTimer()
	submitted := 1
	for committed < b.N {
		for len(post) > 0 {
			l := post[0]
			post = post[1:]
			step(l.to, l.ev)
		}
		for submitted < b.N && submitted-committed < 1024 {
			step("home", Extend{Job: job, N: 1})
			submitted++
		}
		ended := runs
		runs = nil
		for _, r := range ended {
			step("thief", Finished{Piece: r.Piece, State: task.Done, Ran: time.Microsecond})
		}
		now += 10 * time.Microsecond
		for id, c := range nodes {
			if due, ok := c.Next(); ok && due <= now {
				step(id, Tick{})
			}
		}
	}
}

// BenchmarkStepBesideEndedJobs is what a step costs in a home that remembers so many jobs that have ended.
func BenchmarkStepBesideEndedJobs(b *testing.B) {
	for _, ended := range []int{0, 1024} {
		b.Run(strconv.Itoa(ended), func(b *testing.B) {
			c := New(Config{ID: "home", Incarnation: 1, Kinds: []task.Kind{task.KindFunc}, Cores: 4}, time.Hour)
			c.Step(time.Hour, Tick{})
			for range ended {
				for _, e := range c.Step(time.Hour, Submit{Ref: 1, Terms: Terms{Name: "f", Kind: task.KindFunc}, N: 1}) {
					if r, ok := e.(Run); ok {
						c.Step(time.Hour, Finished{Piece: r.Piece, State: task.Done, Ran: 1})
					}
				}
			}
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				c.Step(time.Hour, Candidates{})
			}
		})
	}
}
