package gossip

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/filchsched/filch/gossip/core"
	"github.com/filchsched/filch/gossip/transport"
)

// agrees reports whether n has every other running node present with the record that it
// announces now.
func (n *simNode) agrees() bool {
	for _, other := range n.w.running() {
		m, ok := n.cluster.Member(other.identity.ID())
		if !ok || !m.State.Present() || m.Record == nil {
			return false
		}
		other.cluster.mu.Lock()
		own, _ := other.cluster.machine.Own()
		other.cluster.mu.Unlock()
		if m.Record.Incarnation != own.Incarnation || m.Record.Sequence != own.Sequence {
			return false
		}
	}
	return true
}

// TestRestartBeforeAnybodyNotices: a node that is killed and started again before others
// have missed it is announced to all anew: its record, with its addresses, is another one.
func TestRestartBeforeAnybodyNotices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1, 8)
		defer w.stop()
		w.burst()
		w.await(time.Minute, "the others' newest records", (*simNode).agrees)
		for range 3 {
			w.nodes[3].crash()
			w.nodes[3].start()
			w.await(20*time.Second, "the record of the one that was restarted", (*simNode).agrees)
		}
	})
}

// TestRestoredBackup: a node whose count of starts is behind what members have seen of it
// learns that from them and takes a number above, wherever they have it: as present, as
// failed or as gone with a goodbye.
func TestRestoredBackup(t *testing.T) {
	ends := map[string]func(w *world, n *simNode){
		"killed":       func(w *world, n *simNode) { n.crash() },
		"failed":       func(w *world, n *simNode) { n.crash(); time.Sleep(40 * time.Second) },
		"said goodbye": func(w *world, n *simNode) { n.cluster.Leave(context.Background()); n.stop() },
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			if !simulateAll() {
				t.Skip("about one of 80 runs ends with the others not taking it back; the cause is not known yet")
			}
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 2, 6)
				defer w.stop()
				n := w.nodes[3]
				n.incarnation = 6
				w.burst()
				w.await(time.Minute, "the others' newest records", (*simNode).agrees)
				end(w, n)
				n.incarnation = 1
				var raised atomic.Uint64
				n.net = w.net.Node(n.identity.ID())
				cfg := n.config()
				cfg.RaiseIncarnation = func(above uint64) (uint64, error) { raised.Store(above + 1); return above + 1, nil }
				n.startWith(cfg)
				w.await(10*time.Minute, "the record of the one that was restored", (*simNode).agrees)
				if raised.Load() != 8 {
					t.Errorf("raised to %d, want 8", raised.Load())
				}
			})
		})
	}
}

// TestTwoNodesWithOneIdentity: a node whose count of starts is overtaken again and again
// is not alone with its identity. It ends, and says what to do; a number or two that
// others remember are no reason to.
func TestTwoNodesWithOneIdentity(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 3, 1)
		n := w.nodes[0]
		n.start()
		other := func(incarnation uint64) {
			n.cluster.compareTags(transport.Passing{Kind: transport.Left, Node: n.identity.ID().String(), Meta: string(metaOf(n.signedTag(incarnation, 1, 9)))})
			time.Sleep(time.Second)
		}
		for incarnation := range uint64(maxRaises) {
			other(10 + 10*incarnation)
		}
		select {
		case err := <-n.done:
			t.Fatalf("it ended too early: %v", err)
		default:
		}
		other(100)
		if err := <-n.done; !errors.Is(err, ErrTwice) {
			t.Errorf("it ended with %v", err)
		}
		n.net.Close()
	})
}

// metaOf is a tag as memberlist has it.
func metaOf(tag core.Tag) []byte {
	b := append(append([]byte{}, metaHead...), 0, byte(len(tag.Encode())))
	return append(b, tag.Encode()...)
}
