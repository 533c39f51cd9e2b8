package transport

import (
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

// A member becomes known by its name first; where it is stands in its record, which takes
// a moment to fetch. memberlist tells each news to a few members only, and does not notice
// that a newcomer could not be told. So what is to be told waits for that moment.
const (
	waitingTime    = 3 * time.Second // then it is old news
	waitingPeers   = 256
	waitingPackets = 8 // per peer
)

// waiting keeps sealed packets to peers to which there is no way yet.
type waiting struct {
	mu    sync.Mutex
	peers map[peer.ID]*waitingRoom
}

type waitingRoom struct {
	until   time.Time
	packets [][]byte
}

// add keeps a packet, if there is room.
func (w *waiting) add(to peer.ID, sealed []byte) {
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.peers == nil {
		w.peers = make(map[peer.ID]*waitingRoom)
	}
	room := w.peers[to]
	if room == nil && len(w.peers) >= waitingPeers {
		for id, r := range w.peers {
			if now.After(r.until) {
				delete(w.peers, id)
			}
		}
		if len(w.peers) >= waitingPeers {
			return
		}
	}
	if room == nil || now.After(room.until) {
		room = &waitingRoom{until: now.Add(waitingTime)}
		w.peers[to] = room
	}
	if len(room.packets) < waitingPackets {
		room.packets = append(room.packets, sealed)
	}
}

// take returns what waits for a peer, if it is not too old.
func (w *waiting) take(to peer.ID) [][]byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	room := w.peers[to]
	delete(w.peers, to)
	if room == nil || time.Now().After(room.until) {
		return nil
	}
	return room.packets
}

// Reachable says that the Network has just learnt of a way to a peer. It may be called
// concurrently.
func (t *Transport) Reachable(id peer.ID) {
	for _, p := range t.waiting.take(id) {
		if t.net.SendPacket(id, PacketKind, p) != nil {
			return
		}
	}
}
