package gossip

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/filchsched/filch/gossip/core"
	"github.com/filchsched/filch/gossip/transport"
)

// TestMissedRefutationIsAskedFor: a node suspects everybody, because nothing reaches it for
// a few seconds, neither answers nor refutations. When it can hear again nobody repeats
// what it missed; it asks, and declares nobody failed.
func TestMissedRefutationIsAskedFor(t *testing.T) {
	inBubble(t, 6, 10, func(w *world) {
		w.burst()
		w.await(5*time.Minute, "everybody", (*simNode).complete)
		time.Sleep(30 * time.Second)
		deaf := w.nodes[4]
		for _, n := range w.nodes {
			if n != deaf {
				w.net.Cut(n.identity.ID(), deaf.identity.ID())
			}
		}
		time.Sleep(5 * time.Second)
		if deaf.view(core.Suspect) == 0 {
			t.Error("it suspects nobody")
		}
		w.net.Heal()
		time.Sleep(2 * time.Minute)
		if s := deaf.cluster.Stats(); s.Failures != 0 || deaf.view(core.Suspect) != 0 || s.Present != 10 {
			t.Errorf("it declared %d failures, suspects %d still, and sees %d", s.Failures, deaf.view(core.Suspect), s.Present)
		}
	})
}

// TestSuspicionShows: a crashed member is suspect before it is failed, in every picture.
func TestSuspicionShows(t *testing.T) {
	inBubble(t, 7, 5, func(w *world) {
		w.burst()
		w.await(5*time.Minute, "everybody", (*simNode).complete)
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		id := w.id(3)
		changes := w.nodes[1].cluster.Watch(ctx)
		w.nodes[3].crash()
		var states []core.State
		for change := range changes {
			if change.ID != id || change.What&core.ChangedState == 0 {
				continue
			}
			m, _ := w.nodes[1].cluster.Member(id)
			if states = append(states, m.State); m.State == core.Failed {
				break
			}
		}
		if len(states) != 2 || states[0] != core.Suspect {
			t.Errorf("its states were %v", states)
		}
	})
}

func TestVitals(t *testing.T) {
	v := newVitals()
	say := func(kind transport.PassingKind, incarnation uint32) core.State {
		_, state := v.passed(transport.Passing{Kind: kind, Node: "a", From: "b", Incarnation: incarnation})
		return state
	}
	if say(transport.Suspected, 1) != 0 {
		t.Error("somebody unknown is suspected")
	}
	v.seen("a", "a", core.Tag{})
	for i, step := range []struct {
		kind        transport.PassingKind
		incarnation uint32
		want        core.State
	}{
		{transport.Alive, 3, 0},
		{transport.Suspected, 2, 0}, // refuted already
		{transport.Suspected, 3, core.Suspect},
		{transport.Suspected, 3, 0}, // known
		{transport.Alive, 3, 0},     // no refutation
		{transport.Alive, 4, core.Alive},
		{transport.Suspected, 3, 0},
	} {
		if got := say(step.kind, step.incarnation); got != step.want {
			t.Errorf("step %d: %v, want %v", i, got, step.want)
		}
	}
}

// TestGoodbyeIsNoFailure: to whom the goodbye came before its announcement the member has
// left all the same.
func TestGoodbyeIsNoFailure(t *testing.T) {
	v := newVitals()
	v.seen("a", "a", core.Tag{})
	v.passed(transport.Passing{Kind: transport.Dead, Node: "a", From: "b", Incarnation: 1})
	if got := v.gone("a", core.Failed); got != core.Failed {
		t.Errorf("whom another declared dead is %v", got)
	}
	v.seen("a", "a", core.Tag{})
	v.passed(transport.Passing{Kind: transport.Dead, Node: "a", From: "a", Incarnation: 1})
	if got := v.gone("a", core.Failed); got != core.Left {
		t.Errorf("who said goodbye is %v", got)
	}
}

// TestLifecycle: what is called before Run waits, after it fails, and nothing is left over.
func TestLifecycle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 8, 2)
		n := w.nodes[0]
		n.net = w.net.Node(n.identity.ID())
		c, err := New(n.config())
		if err != nil {
			t.Fatal(err)
		}
		c.SetLoad(core.Load{FreeCores: 1})
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := c.Join(ctx, nil); err == nil {
			t.Error("joined before Run")
		}
		changes := c.Watch(context.Background())
		run, stop := context.WithCancel(context.Background())
		done := make(chan error)
		go func() { done <- c.Run(run) }()
		time.Sleep(time.Second)
		if got := c.Members(); len(got) != 1 || !got[0].Self || got[0].State != core.Alive {
			t.Errorf("alone, it sees %+v", got)
		}
		if err := c.SetRecord(func(r *core.Record) { r.Cores = -1 }); err == nil {
			t.Error("a record with fewer cores than none")
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		for range changes {
		}
		if c.Run(context.Background()) == nil || c.Leave(context.Background()) == nil || c.Join(context.Background(), nil) == nil {
			t.Error("something works after the end")
		}
		c.SetLoad(core.Load{})
		time.Sleep(time.Minute)
		synctest.Wait()
	})
}
