package core

import (
	"strings"
	"testing"
	"time"

	"github.com/filchsched/filch/exec/task"
)

// bounded submits two tasks at a home with one core, beside two peers, and says who
// runs one after some seconds.
func bounded(t *testing.T, where Where, change func(*concert)) (ran map[PeerID]int, story string) {
	w := newConcert(t, map[PeerID]int{"home": 1, "a": 1, "b": 1})
	if change != nil {
		change(w)
	}
	w.members()
	w.pass(5 * time.Second)
	w.submit("home", 10, Terms{Where: where})
	w.pass(5 * time.Second)
	ran = make(map[PeerID]int)
	for id, runs := range w.runs {
		ran[id] = len(runs)
	}
	home := w.nodes["home"]
	return ran, strings.Join(home.Explain(home.jobOrder[0].id, 9), "\n")
}

func TestWhereBoundsWhereTasksRun(t *testing.T) {
	labelled := func(w *concert) { w.nodes["a"].cfg.Labels = []string{"gpu=1", "disk=ssd"} }
	for _, test := range []struct {
		name       string
		where      Where
		change     func(*concert)
		home, a, b int
		why        string
	}{
		{"anywhere", Where{}, nil, 1, 1, 1, ""},
		{"on one", Where{On: []PeerID{"a"}}, nil, 0, 1, 0, reasonOn},
		{"on home", Where{On: []PeerID{"home"}}, nil, 1, 0, 0, reasonOn},
		{"not there", Where{Avoid: []PeerID{"a"}}, nil, 1, 0, 1, reasonAvoid},
		{"not at home", Where{Avoid: []PeerID{"home"}}, nil, 0, 1, 1, ""},
		{"local", Where{Local: true}, nil, 1, 0, 0, reasonLocal},
		{"labels", Where{Require: []string{"gpu=1", "disk=ssd"}}, labelled, 0, 1, 0, reasonLabel},
		{"one label of two", Where{Require: []string{"gpu=1", "disk=hdd"}}, labelled, 0, 0, 0, reasonLabel},
		{"at most two", Where{MaxRunning: 2}, nil, 1, 1, 0, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			ran, story := bounded(t, test.where, test.change)
			if test.name == "at most two" {
				if n := ran["home"] + ran["a"] + ran["b"]; n != 2 {
					t.Errorf("%d run at once: %v", n, ran)
				}
				return
			}
			if ran["home"] != test.home || ran["a"] != test.a || ran["b"] != test.b {
				t.Errorf("run: %v\n%s", ran, story)
			}
			if !strings.Contains(story, test.why) {
				t.Errorf("%q is not told:\n%s", test.why, story)
			}
		})
	}
}

// TestMaxRunningHoldsOverTime: as tasks end others follow, never more at once, at
// whatever peers and over all attempts.
func TestMaxRunningHoldsOverTime(t *testing.T) {
	w := newConcert(t, map[PeerID]int{"home": 1, "a": 4, "b": 4})
	w.members()
	w.pass(5 * time.Second)
	w.submit("home", 30, Terms{Retries: 1, Where: Where{MaxRunning: 3}})
	job := w.nodes["home"].jobOrder[0]
	ended := 0
	for range 60 {
		w.pass(100 * time.Millisecond)
		if job.out > 3 {
			t.Fatalf("%d are out", job.out)
		}
		w.step("home", HedgeTask{Job: job.id, Index: 0, Peer: "a"})
		for _, id := range w.order {
			ended += w.done(id, 50*time.Millisecond)
		}
	}
	if !job.done {
		t.Errorf("%d runs have ended, and the job is not done", ended)
	}
}

// TestLocalStaysOnTheMachine: the node of a guest runs it and lends nothing of it.
func TestLocalStaysOnTheMachine(t *testing.T) {
	w := visit(t, 1, map[PeerID]int{"peer": 4})
	w.submit("guest", 5, Terms{Where: Where{Local: true}})
	w.pass(5 * time.Second)
	if len(w.runs["peer"]) != 0 || w.nodes["node"].Held() != 5 || len(w.runs["node"]) != 1 {
		t.Errorf("runs %+v, the node holds %d", w.runs, w.nodes["node"].Held())
	}
}

// TestNodeDoesNotStartWhatAGuestKeepsFromIt, but holds it for others.
func TestNodeDoesNotStartWhatAGuestKeepsFromIt(t *testing.T) {
	for name, where := range map[string]Where{"on": {On: []PeerID{"peer"}}, "avoid": {Avoid: []PeerID{"node"}}, "label": {Require: []string{"gpu"}}} {
		w := visit(t, 4, map[PeerID]int{"peer": 1})
		w.nodes["peer"].cfg.Labels = []string{"gpu"}
		w.step("peer", Functions{[]uint32{FunctionHash("f")}}) // announces anew
		w.pass(time.Second)
		w.submit("guest", 5, Terms{Where: where})
		w.pass(5 * time.Second)
		if len(w.runs["node"]) != 0 || len(w.runs["peer"]) != 1 {
			t.Errorf("%s: runs %+v", name, w.runs)
		}
	}
}

// TestOwnTasksNeedNoKind: what a process runs for others does not bound its own.
func TestOwnTasksNeedNoKind(t *testing.T) {
	w := newConcert(t, map[PeerID]int{"home": 1})
	w.nodes["home"].cfg.Kinds = nil
	w.step("home", Functions{[]uint32{1}})
	w.submit("home", 1, Terms{Kind: task.KindProc})
	if len(w.runs["home"]) != 1 {
		t.Error("its own command does not start")
	}
}

func TestFunctionsMustBeKnown(t *testing.T) {
	w := newConcert(t, map[PeerID]int{"home": 0, "a": 1, "b": 1, "c": 1})
	w.step("a", Functions{[]uint32{FunctionHash("f"), FunctionHash("g")}})
	w.step("b", Functions{[]uint32{FunctionHash("g")}})
	w.members()
	w.pass(5 * time.Second)
	w.submit("home", 5, Terms{Name: "f"})
	w.pass(5 * time.Second)
	if len(w.runs["a"]) != 1 || len(w.runs["b"]) != 0 || len(w.runs["c"]) != 1 {
		t.Errorf("runs %+v", w.runs)
	}
	home := w.nodes["home"]
	if s := strings.Join(home.Explain(home.jobOrder[0].id, 4), "\n"); !strings.Contains(s, reasonFunction) {
		t.Errorf("not told:\n%s", s)
	}
	w.step("b", Functions{[]uint32{FunctionHash("f")}})
	w.pass(5 * time.Second)
	if len(w.runs["b"]) != 1 {
		t.Error("a function that was learned is not announced")
	}
}

// TestFunctionsAreLookedAtByTheThief, too: it may have forgotten one meanwhile.
func TestFunctionsAreLookedAtByTheThief(t *testing.T) {
	c := New(Config{ID: "me", Incarnation: 1, Cores: 1, Kinds: []task.Kind{task.KindFunc}}, 0)
	c.Step(0, Functions{[]uint32{FunctionHash("g")}})
	if why := c.declines(&uplink{}, &Part{Terms: Terms{Name: "f", Kind: task.KindFunc}}); why != reasonFunction {
		t.Errorf("declines: %q", why)
	}
	if why := c.declines(&uplink{}, &Part{Terms: Terms{Name: "g", Kind: task.KindFunc}}); why != "" {
		t.Errorf("declines: %q", why)
	}
}

func TestPauseHoldsBackAndResumes(t *testing.T) {
	w := newConcert(t, map[PeerID]int{"home": 1, "thief": 1})
	w.members()
	w.pass(5 * time.Second)
	w.nodes["thief"].uplinkTo("home").window = 100
	w.submit("home", 20, Terms{Estimate: time.Millisecond})
	w.pass(100 * time.Millisecond)
	job := w.nodes["home"].jobOrder[0]
	w.step("home", PauseJob{Job: job.id, On: true})
	w.settle()
	if n := w.nodes["thief"].Held(); n != uint64(len(w.runs["thief"])) {
		t.Errorf("the thief holds %d of a paused job, and %d of them run", n, len(w.runs["thief"]))
	}
	ran := w.done("home", time.Millisecond) + w.done("thief", time.Millisecond)
	w.pass(5 * time.Second)
	if n := w.done("home", time.Millisecond) + w.done("thief", time.Millisecond); n != 0 {
		t.Errorf("%d tasks of a paused job were started", n)
	}
	w.step("home", PauseJob{Job: job.id})
	for range 40 {
		w.pass(100 * time.Millisecond)
		ran += w.done("home", time.Millisecond) + w.done("thief", time.Millisecond)
	}
	if ran != 20 || !job.done {
		t.Errorf("%d of 20 ran", ran)
	}
}

// TestAPausedJobTakesNoRoom: its home steals others' work meanwhile.
func TestAPausedJobTakesNoRoom(t *testing.T) {
	w := newConcert(t, map[PeerID]int{"home": 1, "other": 0})
	w.members()
	w.pass(time.Second)
	w.submit("home", 20, Terms{})
	w.done("home", time.Second)
	job := w.nodes["home"].jobOrder[0].id
	w.step("home", PauseJob{Job: job, On: true})
	w.done("home", time.Second)
	w.runs["home"] = nil
	w.submit("other", 1, Terms{})
	w.know("home", "other", 0, time.Second)
	w.pass(5 * time.Second)
	if n := len(w.runs["home"]); n != 1 || w.runs["home"][0].Piece.Job.Home != "other" {
		t.Errorf("it runs %+v", w.runs["home"])
	}
}
