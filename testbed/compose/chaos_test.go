//go:build linux

package compose

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/filchsched/filch/testbed/nodes"
)

// The environment: how many rounds, the seed of the first one, and a file for the report.
const (
	roundsVariable = "FILCH_COMPOSE"
	seedVariable   = "FILCH_COMPOSE_SEED"
	reportVariable = "FILCH_COMPOSE_REPORT"
)

const (
	// perRound bounds the jobs of a round: two leases, a pause, and the work.
	perRound = 2 * time.Minute
	// settle is how long what runs for nobody may go on.
	settle = 15 * time.Second
)

// TestChaos: commands and functions have one outcome each, the right one, whatever happens to containers.
func TestChaos(t *testing.T) {
	rounds, _ := strconv.Atoi(os.Getenv(roundsVariable))
	if rounds < 1 {
		t.Skipf("takes a Docker engine and minutes: make compose-chaos, or %s=rounds", roundsVariable)
	}
	seed, err := strconv.ParseUint(os.Getenv(seedVariable), 10, 64)
	if err != nil {
		seed = uint64(time.Now().UnixNano()) % 1e6
	}
	r := newRig(t, "")
	defer r.tell(t)
	for k := range uint64(rounds) {
		p := newPlan(seed + k)
		wrong := r.round(t, p)
		for _, w := range wrong {
			t.Errorf("seed %d: %s", p.seed, w)
		}
		if t.Failed() {
			t.Fatalf("again with %s=1 %s=%d", roundsVariable, seedVariable, p.seed)
		}
	}
}

// round does what a plan says, and tells what is wrong with what came of it.
func (r *rig) round(t *testing.T, p *plan) (wrong []string) {
	begun := time.Now()
	r.say("%v", p)
	ctx, cancel := context.WithTimeoutCause(t.Context(), perRound, errors.New("hangs: the jobs do not end"))
	defer cancel()
	if err := r.engine.Assemble(ctx, &r.plan); err != nil {
		t.Fatal(err)
	}
	dir := r.newDir(t, p)
	var all sync.WaitGroup
	var h *History
	var errCommands, errCalls error
	all.Go(func() { h, errCommands = r.commands(ctx, p, dir) })
	all.Go(func() { errCalls = r.calls(ctx, p, dir) })
	var pauses []Pause
	var mu sync.Mutex
	for _, f := range p.faults {
		all.Go(func() {
			pause := r.inflict(t, f)
			mu.Lock()
			defer mu.Unlock()
			if f.kind == paused {
				pauses = append(pauses, pause)
			}
		})
	}
	all.Wait()
	for _, err := range []error{errCommands, errCalls} {
		if err != nil {
			wrong = append(wrong, err.Error())
		}
	}
	if h == nil {
		return wrong
	}
	h.Pauses = pauses
	h.Events = r.events(t, dir)
	more, excused := h.Check(len(p.tasks), func(task int) string { return fmt.Sprintf("result of %d is %d", task, nodes.Sum(task)) })
	wrong = append(append(wrong, more...), r.left(t, dir)...)
	r.sum["second copies that began while the first was paused"] += excused
	r.sum["rounds"]++
	r.sum["commands with the right result"] += len(p.tasks)
	r.sum["calls with the right result"] += len(p.calls)
	r.say("  %.1f s; %d wrong\n%s", time.Since(begun).Seconds(), len(wrong), h)
	for _, w := range wrong {
		r.say("  WRONG %s", w)
	}
	return wrong
}

// inflict lets a fault come and go. What an engine says no to is the test's failure, not filch's.
func (r *rig) inflict(t *testing.T, f fault) (during Pause) {
	n := r.nodes[f.member]
	docker := func(args ...string) {
		if _, err := r.engine.Docker(context.WithoutCancel(t.Context()), args...); err != nil {
			t.Errorf("%v of %s: %v", f.kind, n.Name, err)
		}
	}
	cut := func() { docker("network", "disconnect", n.Spine, n.Container) }
	mend := func() { docker("network", "connect", "--ip", n.BackboneAddr.String(), n.Spine, n.Container) }
	time.Sleep(f.at)
	during = Pause{Node: n.Name, Begin: time.Now()}
	wait := func() { time.Sleep(f.lasts) }
	switch f.kind {
	case killed:
		docker("kill", n.Container)
		wait()
		docker("start", n.Container)
	case renewed:
		docker("rm", "--force", n.Container)
		wait()
		if err := r.engine.Run(context.WithoutCancel(t.Context()), r.dir, &r.said, "up", "--detach", "--no-deps", n.Name); err != nil {
			t.Errorf("%s does not come back: %v\n%s", n.Name, err, &r.said)
		}
	case paused:
		docker("pause", n.Container)
		wait()
		docker("unpause", n.Container)
	case inRack:
		cut()
		wait()
		mend()
	case alone:
		cut()
		docker("network", "disconnect", n.RackNet, n.Container)
		wait()
		docker("network", "connect", "--ip", n.RackAddr.String(), n.RackNet, n.Container)
		mend()
	case restarts:
		docker("restart", "--time", "15", n.Container)
	}
	during.End = time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sum["containers "+f.kind.String()]++
	return during
}

// left waits until no container runs a task, and tells who does for too long.
func (r *rig) left(t *testing.T, dir string) []string {
	for late := time.Now().Add(settle); ; time.Sleep(200 * time.Millisecond) { // the end of somebody else's child is no event here
		var busy []string
		for _, n := range r.nodes {
			out, err := r.engine.Docker(t.Context(), "exec", n.Container, "sh", "-c", "ps | grep '[/]bin/task'; true")
			if text := strings.TrimSpace(string(out)); text != "" || err != nil {
				busy = append(busy, fmt.Sprintf("left: %s runs %q (%v)", n.Name, text, err))
			}
		}
		if len(busy) == 0 || time.Now().After(late) {
			return busy
		}
	}
}

// tell writes the report.
func (r *rig) tell(t *testing.T) {
	for _, k := range slices.Sorted(maps.Keys(r.sum)) {
		r.say("sum: %7d %s", r.sum[k], k)
	}
	t.Log("\n" + r.report.String())
	if path := os.Getenv(reportVariable); path != "" {
		if err := os.WriteFile(path, []byte(r.report.String()), 0o644); err != nil {
			t.Error(err)
		}
	}
}
