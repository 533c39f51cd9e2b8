package core

import "time"

// An Event is something that happened in the world. The types below are all of
// them. What an event carries belongs to the Machine afterwards.
type Event interface{ event() }

// MemberSeen: the failure detector has a member present. The driver has verified
// the tag's signature before. It is sent for every join, update and change
// between Alive and Suspect; repeating it is harmless. Seeing this node itself
// with a newer tag than its own shows that it lost its incarnation.
type MemberSeen struct {
	ID    ID
	State State // Alive or Suspect
	Tag   Tag
	RTT   time.Duration // 0 for unknown or unchanged
}

// MemberGone: a member left or was declared dead.
type MemberGone struct {
	ID    ID
	State State // Left or Failed
}

// MemberForgotten: Serf reaped a gone member; nothing is kept of it.
type MemberForgotten struct{ ID ID }

// Measured: the round trip to a member is known, or better known.
type Measured struct {
	ID  ID
	RTT time.Duration
}

// RecordArrived: a peer sent an encoded record. It may be any record, asked for
// or not; only one that is wanted by its hash is taken.
type RecordArrived struct {
	From    ID
	Encoded []byte
}

// FetchEnded: what FetchRecords asked From for has been answered, as far as it
// will be, by RecordArrived before this event; or it failed.
type FetchEnded struct{ From ID }

// NewsArrived: a datagram was opened with the cluster's news key, and was sealed
// for this node (see SendNews).
type NewsArrived struct {
	From     ID // who is proven to have sent it, or empty if only an address is known
	Datagram []byte
}

// LoadChanged: the engine's load is another. It may come as often as it likes.
type LoadChanged struct{ Load Load }

// RecordChanged: this node's own record shall be another. ID, incarnation and sequence are
// filled in. An announcement costs every member some bytes, so changes that
// come fast are announced together.
type RecordChanged struct{ Record Record }

// IncarnationRaised answers RaiseIncarnation: the number is on disk.
type IncarnationRaised struct{ Incarnation uint64 }

// SyncEnded: what Sync asked for is done, or failed.
type SyncEnded struct{ With ID }

// SeedLearned: a peer that can be dialled when nobody else is left: from a join
// string, from disk, from mDNS.
type SeedLearned struct{ Seed Seed }

// Leaving: this node is about to leave; it says nothing more.
type Leaving struct{}

// Tick: NextWake has come.
type Tick struct{}

func (MemberSeen) event()        {}
func (MemberGone) event()        {}
func (MemberForgotten) event()   {}
func (Measured) event()          {}
func (RecordArrived) event()     {}
func (FetchEnded) event()        {}
func (NewsArrived) event()       {}
func (LoadChanged) event()       {}
func (RecordChanged) event()     {}
func (IncarnationRaised) event() {}
func (SyncEnded) event()         {}
func (SeedLearned) event()       {}
func (Leaving) event()           {}
func (Tick) event()              {}
