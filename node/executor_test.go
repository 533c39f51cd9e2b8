package node

import (
	"fmt"
	"testing"
	"time"

	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/steal"
	"github.com/filchsched/filch/steal/core"
)

// TestHomesTakenAreBounded: each run of a command line is a home of its own, and a node outlives many; sums stay right.
func TestHomesTakenAreBounded(t *testing.T) {
	x := newTally("self", nil, func() {})
	end := func(home core.PeerID) {
		x.count(&steal.Run{Run: core.Run{Terms: core.Terms{Kind: task.KindProc}, From: "peer"}}, 1, &steal.End{Finished: core.Finished{
			Piece: core.Piece{Job: core.JobID{Home: home, Seq: 1}, Span: core.Span{Lo: 0, Hi: 1}}, State: task.Done, Ran: time.Second,
		}})
	}
	const runs = 5 * maxTaken
	for k := range runs {
		end("always")
		end(core.PeerID(fmt.Sprint("run-", k)))
	}
	all := x.stolen()
	if len(all) > maxTaken+1 {
		t.Errorf("%d homes are told apart", len(all))
	}
	tasks, ran := uint64(0), time.Duration(0)
	for _, h := range all {
		tasks += h.tasks
		ran += h.ran
	}
	if tasks != 2*runs || ran != 2*runs*time.Second {
		t.Errorf("%d tasks in %v, not %d in as many seconds", tasks, ran, 2*runs)
	}
	if all[takenKey{"always", "peer"}].tasks != runs {
		t.Errorf("of a home that gives work all the time %d tasks are left, not %d", all[takenKey{"always", "peer"}].tasks, runs)
	}
}
