package gossip

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/filchsched/filch/gossip/core"
	"github.com/filchsched/filch/gossip/transport"
)

// TestForgedGoodbyeIsRefuted: an insider says for another that it leaves, at the latest
// time that Serf's clocks can show, and later that it joins. The victim can still refute
// it: when it crashes afterwards it has failed, and is looked for. Another that says
// goodbye is gone.
func TestForgedGoodbyeIsRefuted(t *testing.T) {
	intent := func(typ byte, ltime uint64, node string) []byte {
		return []byte("\x08" + string(typ) + "\x83" + number("LTime", ltime) + text("Node", node) + "\xa5Prune\xc2")
	}
	for _, ltime := range []uint64{1 << 20, transport.MaxIntent - 1, transport.MaxIntent, transport.MaxIntent + 1, math.MaxUint64 - 1, math.MaxUint64} {
		for _, typ := range []byte{0, 1} { // leave, join
			attackedWorld(t, 8, func(w *world) {
				crashes, leaves := w.nodes[5], w.nodes[6]
				for _, victim := range []*simNode{crashes, leaves} {
					w.tell(intent(typ, ltime, victim.identity.ID().String()))
				}
				time.Sleep(time.Minute) // whom the victim's answer missed asks it
				crashes.crash()
				leaves.cluster.Leave(context.Background())
				leaves.stop()
				w.await(time.Minute, "who is gone", func(n *simNode) bool {
					return n.view(core.Alive) == 6 && n.view(core.Failed, core.Left) == 2
				})
				for _, n := range w.running() {
					m, _ := n.cluster.Member(crashes.identity.ID())
					if m.State != core.Failed {
						t.Errorf("type %d at %x: node %d has the one that crashed as %v", typ, ltime, n.i, m.State)
					}
				}
			})
		}
	}
}
