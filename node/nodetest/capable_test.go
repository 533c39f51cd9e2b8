package nodetest_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/filchsched/filch/node"
	"github.com/filchsched/filch/node/nodetest"
)

// TestWhatNobodyCanRunIsRefusedWithWhy: labels that nobody has, more memory than there is, names that exclude each other.
func TestWhatNobodyCanRunIsRefusedWithWhy(t *testing.T) {
	t.Parallel()
	c := nodetest.Start(t, 2)
	for says, o := range map[string][]node.CallOption{
		"lack the label gpu=yes": {node.Require("gpu=yes")},
		"less memory":            {node.Memory(1 << 60)},
		"fewer cores":            {node.Cores(1000)},
		"not among those":        {node.At(c.Node(1).ID()), node.Local()},
	} {
		if _, err := square.Call(t.Context(), c.Node(0), 1, o...); !errors.Is(err, node.ErrNoCapableNode) || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", says, err)
		}
		if _, err := square.MapSlice(t.Context(), c.Node(0), []int{1}, o...); !errors.Is(err, node.ErrNoCapableNode) {
			t.Errorf("%q: %v", says, err)
		}
	}
}

// TestAFunctionThatAPeerDoesNotKnow is refused with the peer's name and the function's, as soon as the peer has told what it
// knows.
func TestAFunctionThatAPeerDoesNotKnow(t *testing.T) {
	t.Parallel()
	c := nodetest.Start(t, 2, func(i int, c *node.Config) {
		if i == 0 { // the others do not have it
			c.Functions = map[string]node.Function{"only-here": func(_ context.Context, b []byte) ([]byte, error) { return b, nil }}
		}
	})
	there := c.Node(1).ID()
	// That it runs something for us shows that its offer is here.
	if _, err := place.Call(t.Context(), c.Node(0), struct{}{}, node.At(there)); err != nil {
		t.Fatal(err)
	}
	var e *node.TaskError
	_, err := c.Node(0).Calls(t.Context(), node.CallOptions{Function: "only-here", Common: node.Common{Where: node.Where{On: []string{there}}}})
	if !errors.As(err, &e) || !errors.Is(err, node.ErrUnknownFunction) || !errors.Is(err, node.ErrNoCapableNode) || e.Node != there || e.Function != "only-here" {
		t.Errorf("%v", err)
	}
}
