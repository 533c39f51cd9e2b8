package node

import (
	"fmt"
	"testing"
	"time"

	"github.com/filchsched/filch/node/story"
	"github.com/filchsched/filch/steal/core"
	"github.com/filchsched/filch/steal/guest"
)

func runID(k int) core.PeerID { return core.PeerID(fmt.Sprintf("run-%032x", k)) }

// TestRunsAreBounded: a node outlives many, and remembers the newest, and those that live.
func TestRunsAreBounded(t *testing.T) {
	var r runs
	at := time.Unix(1e9, 0)
	r.came(runID(0), guest.About{Job: "lives"}, at)
	for k := 1; k < 3*maxRuns; k++ {
		r.came(runID(k), guest.About{Job: "sums"}, at)
		r.saidGoodbye(runID(k), &story.Farewell{Tasks: 1})
		r.went(runID(k), at)
	}
	r.saidGoodbye("run-nobody", &story.Farewell{})
	all, left := r.list(), 0
	for _, k := range all {
		if k.left != nil {
			left++
		}
	}
	newest, _ := r.get(runID(3*maxRuns - 1))
	if len(all) != maxRuns || len(r.by) != maxRuns || left != maxFarewells || r.told != left || all[0].Name != "lives" || newest.left == nil {
		t.Errorf("%d runs, %d of them with a story; told %d", len(all), left, r.told)
	}
}

// TestRunsAreCalled by ID, by the beginning of one, and by name, of which the newest that lives is meant.
func TestRunsAreCalled(t *testing.T) {
	var r runs
	at := time.Unix(1e9, 0)
	for k, name := range []string{"a", "a", "a", "b"} {
		r.came(core.PeerID(fmt.Sprintf("run-%x%031x", k, k)), guest.About{Job: name}, at)
	}
	r.went(core.PeerID(fmt.Sprintf("run-%x%031x", 2, 2)), at)
	for called, want := range map[string]string{
		"a": "run-1", "b": "run-3", fmt.Sprintf("run-%x%031x", 2, 2): "run-2", "run-3000": "run-3",
		"run-": "", "run-3": "", "c": "", "": "",
	} {
		k, ok := r.called(called)
		if ok != (want != "") || ok && k.ID[:len(want)] != want {
			t.Errorf("%q is %q, not %q", called, k.ID, want)
		}
	}
}
