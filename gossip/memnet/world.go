package memnet

import (
	"math/rand/v2"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

// World is the network that nodes share. It may be used concurrently.
type World struct {
	mu      sync.RWMutex
	nodes   map[peer.ID]*Node
	cuts    map[path]bool
	loss    float64
	latency func(from, to peer.ID) time.Duration
	tap     func(from, to peer.ID, kind byte, b []byte)

	diceMu sync.Mutex // a leaf; mu may be held
	dice   *rand.Rand
}

type path struct{ from, to peer.ID }

// New makes a World without latency, loss or nodes. Losses follow from the seed.
func New(seed uint64) *World {
	return &World{
		nodes:   make(map[peer.ID]*Node),
		cuts:    make(map[path]bool),
		latency: func(peer.ID, peer.ID) time.Duration { return 0 },
		dice:    rand.New(rand.NewPCG(seed, 0x6d656d6e6574)),
	}
}

// SetLatency sets how long a packet takes in one direction. f may be called concurrently.
func (w *World) SetLatency(f func(from, to peer.ID) time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.latency = f
}

// SetLoss sets the share of packets that get lost, 0 to 1.
func (w *World) SetLoss(share float64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.loss = share
}

// Tap has f called for every packet that is sent, as somebody on the wire would see it; nil
// ends that. f may be called concurrently and may keep b, but not change it.
func (w *World) Tap(f func(from, to peer.ID, kind byte, b []byte)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tap = f
}

// tapped shows a packet to who listens.
func (w *World) tapped(from, to peer.ID, kind byte, b []byte) {
	w.mu.RLock()
	f := w.tap
	w.mu.RUnlock()
	if f != nil {
		f(from, to, kind, b)
	}
}

// Cut stops everything from one node to another, in that direction only.
func (w *World) Cut(from, to peer.ID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cuts[path{from, to}] = true
}

// Partition cuts every path, both ways, between nodes of a and nodes of b.
func (w *World) Partition(a, b []peer.ID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, x := range a {
		for _, y := range b {
			w.cuts[path{x, y}] = true
			w.cuts[path{y, x}] = true
		}
	}
}

// Heal mends all cuts. Streams that ran into one stay dead.
func (w *World) Heal() {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.cuts)
}

// Node makes a node with this identity and attaches it, in place of one that crashed or
// was closed before.
func (w *World) Node(id peer.ID) *Node {
	n := newNode(w, id)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.nodes[id] = n
	return n
}

// peer returns the node that has an ID now, if any.
func (w *World) peer(id peer.ID) *Node {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.nodes[id]
}

// open reports whether the path carries anything, and how long that takes.
func (w *World) open(from, to peer.ID) (time.Duration, bool) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.latency(from, to), !w.cuts[path{from, to}]
}

// lost rolls the dice for one packet.
func (w *World) lost() bool {
	w.mu.RLock()
	loss := w.loss
	w.mu.RUnlock()
	if loss == 0 {
		return false
	}
	w.diceMu.Lock()
	defer w.diceMu.Unlock()
	return w.dice.Float64() < loss
}
