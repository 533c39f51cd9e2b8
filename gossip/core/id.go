package core

import (
	"crypto/sha256"
	"encoding/binary"
)

// An ID names a member: its libp2p peer ID, as the bytes that peer.ID holds, and
// its Serf name. This package compares IDs and never looks inside.
type ID string

// MaxIDLen bounds an ID, in bytes. An Ed25519 peer ID has 38.
const MaxIDLen = 64

// A handle stands for a member in load news, where a whole ID would triple the
// size of an entry. Only handles of members are believed, so a made-up one costs
// nothing. Who wants the handle of somebody else has to find a second preimage of
// 64 bits; two of 10,000 honest members share one with a chance of 1 in 10^11.
type handle uint64

// handleOf hashes with a label of its own, so that no other hash of a peer ID
// can be passed off as one.
func handleOf(id ID) handle {
	sum := sha256.Sum256([]byte("filch handle 1\x00" + string(id)))
	return handle(binary.BigEndian.Uint64(sum[:8]))
}
