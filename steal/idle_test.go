package steal_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/steal"
	"github.com/filchsched/filch/steal/core"
)

// TestIdleDriversAreSilent: 20 idle nodes that have settled for ten seconds send no frame by which work is
// looked for in the minute after, and no heartbeat more than their standing offers need. What then
// appears at one of them is still taken at once.
func TestIdleDriversAreSilent(t *testing.T) {
	const nodes, lifelines = 20, 5 // strides 1, 2, 4, 8, 16
	synctest.Test(t, func(t *testing.T) {
		net := newMemNet()
		var all []*process
		for k := range nodes {
			all = append(all, start(t, net, core.PeerID(fmt.Sprintf("n%02d", k)), 2))
		}
		meet(all...)
		time.Sleep(10 * time.Second)
		sum := func() (s steal.Stats) {
			synctest.Wait()
			for _, p := range all {
				x := p.d.Stats()
				s.FramesOut += x.FramesOut
				s.BeatsOut += x.BeatsOut
				s.OffersOut += x.OffersOut
				s.Steps += x.Steps
				s.ControlOut += x.ControlOut
			}
			return s
		}
		before := sum()
		time.Sleep(time.Minute)
		after := sum()
		frames, beats, looks := after.FramesOut-before.FramesOut, after.BeatsOut-before.BeatsOut, after.OffersOut-before.OffersOut
		const perNode = nodes * 60
		t.Logf("a node and second: %.2f frames (%.2f heartbeats and answers), %.0f bytes, %.2f steps", float64(frames)/perNode,
			float64(beats)/perNode, float64(after.ControlOut-before.ControlOut)/perNode, float64(after.Steps-before.Steps)/perNode)
		if looks != 0 || frames != beats {
			t.Errorf("%d frames by which work is looked for, %d of another kind", looks, frames-beats-looks)
		}
		if most := uint64(nodes * lifelines * 2 * (60/4 + 1)); beats > most || beats == 0 {
			t.Errorf("%d heartbeats and answers for standing offers; at most %d are needed", beats, most)
		}
		if steps := after.Steps - before.Steps; steps > 3*beats {
			t.Errorf("%d steps for %d frames: somebody has an alarm for nothing", steps, beats)
		}
		all[0].expect(all[0].submit(core.Terms{Kind: task.KindFunc, Name: "f"}, 1000), 1000)
	})
}
