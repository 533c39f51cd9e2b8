package core

import (
	"crypto/sha256"
	"encoding/binary"
)

// Buckets is how many parts the membership is divided into for comparison. Two
// nodes that differ in one of 10,000 members exchange these 512 bytes and then
// 150 members, not all of them.
const Buckets = 64

// digest sums up who is present with which tag. It does not depend on the order
// of events: each member's hash is mixed in by exclusive or, and out the same way.
// A member can make digests differ at will, which Sync's limits bound.
type digest struct{ buckets [Buckets]uint64 }

// flip mixes a member with a tag in, or out if it is in.
func (d *digest) flip(id ID, h handle, t Tag) {
	b := append([]byte("filch digest 1\x00"), id...)
	b = binary.BigEndian.AppendUint64(b, t.Incarnation)
	b = binary.BigEndian.AppendUint64(b, t.Sequence)
	b = append(b, t.Hash[:]...)
	sum := sha256.Sum256(b)
	d.buckets[bucketOf(h)] ^= binary.BigEndian.Uint64(sum[:8])
}

func (d *digest) whole() (all uint64) {
	for _, b := range d.buckets {
		all ^= b
	}
	return all
}

func bucketOf(h handle) int { return int(uint64(h) >> 58) }

// BucketOf returns the bucket that a member is counted in, less than Buckets.
func BucketOf(id ID) int { return bucketOf(handleOf(id)) }

// Digest sums up who is present with which tag: equal views have equal digests,
// and different ones differ, but for accidents of 2^-64.
func (m *Machine) Digest() uint64 { return m.digest.whole() }

// Buckets returns the digest by BucketOf; their exclusive or is Digest.
func (m *Machine) Buckets() [Buckets]uint64 { return m.digest.buckets }

// In returns the present members of a bucket, this node included, in no
// particular order, with their tags.
func (m *Machine) In(bucket int) map[ID]Tag {
	in := make(map[ID]Tag)
	if bucketOf(m.self.handle) == bucket {
		in[m.self.id] = m.self.tag
	}
	for _, p := range m.roster.present {
		if bucketOf(p.handle) == bucket {
			in[p.id] = p.tag
		}
	}
	return in
}
