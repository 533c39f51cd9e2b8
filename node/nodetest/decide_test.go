package nodetest_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/filchsched/filch/node"
	"github.com/filchsched/filch/node/nodetest"
)

// TestFollowingADecision: a call goes where it was decided, by name, options and zones; a report is taken; what cannot be placed
// says why.
func TestFollowingADecision(t *testing.T) {
	t.Parallel()
	zones := []string{"home", "away", "away"}
	c := nodetest.Start(t, 3, func(i int, c *node.Config) { c.Labels = map[string]string{"zone": zones[i]} })
	n, ctx := c.Node(0), t.Context()
	for range 20 {
		begun := time.Now()
		d, err := place.Decide(ctx, n, struct{}{})
		if err != nil || !d.Placeable() || d.Expired() {
			t.Fatalf("%+v, %v", d, err)
		}
		at, err := place.Call(ctx, n, struct{}{}, node.Follow(d))
		if err != nil || at != d.Target {
			t.Fatalf("ran at %q, not %q: %v", at, d.Target, err)
		}
		n.Report(d, time.Since(begun), nil)
	}
	away := map[string]bool{c.Node(1).ID(): true, c.Node(2).ID(): true}
	d, err := place.Decide(ctx, n, struct{}{}, node.Zones("away"))
	if err != nil || !away[d.Target] || !strings.Contains(d.Explain(), "zone") {
		t.Errorf("%v at %q: %s", err, d.Target, d.Explain())
	}
	for range 10 {
		if at, err := place.Call(ctx, n, struct{}{}, node.Zones("away")); err != nil || !away[at] {
			t.Errorf("left its zone for %q: %v", at, err)
		}
	}
	if d, err := place.Decide(ctx, n, struct{}{}, node.Zones("nowhere")); err != nil || d.Placeable() {
		t.Errorf("%+v, %v", d, err)
	}
	if _, err := place.Call(ctx, n, struct{}{}, node.Zones("nowhere")); err == nil || !strings.Contains(err.Error(), "zones") {
		t.Errorf("%v", err)
	}
	if d, err := place.Decide(ctx, n, struct{}{}, node.Local(), node.Avoid(n.ID())); err == nil && d.Placeable() {
		t.Errorf("%+v", d)
	}
	var none *node.TaskError
	if _, err := place.Call(ctx, n, struct{}{}, node.At("nobody")); err == nil || errors.As(err, &none) {
		t.Errorf("%v", err)
	}
}
