package core

// An Effect is something that the driver shall do. The types below are all of
// them. What an effect carries belongs to the driver; nothing in it is touched
// again by the Machine. Effects are carried out in order; none of them may block
// the next event.
type Effect interface{ effect() }

// SendNews: seal Datagram with the cluster's news key, with the bytes of To as
// associated data (so that it cannot be replayed to anybody else), and send it.
// Losing it does no harm.
type SendNews struct {
	To       ID
	Datagram []byte // at most MaxDatagramLen bytes
}

// FetchRecords: ask From for the records of these hashes on one stream. Each
// answer is a RecordArrived; at the end, whatever the end, a FetchEnded. Only one
// is out at a time; after FetchTimeout the Machine goes on without.
type FetchRecords struct {
	From   ID
	Hashes []Hash // at most MaxFetch
}

// Announce: sign Tag, and make it this node's Serf tag. Encoded is its record;
// Records serves it already.
type Announce struct {
	Tag     Tag // without a signature
	Encoded []byte
}

// Sync: the digests of this node and With have differed for a while. Exchange
// Buckets, then the members of those that differ; or the whole state. At the end,
// whatever the end, a SyncEnded.
type Sync struct{ With ID }

// Redial: try to reach these seeds and join through them. Success shows as
// MemberSeen; failure needs no answer.
type Redial struct{ Seeds []Seed }

// RaiseIncarnation: members have seen this node with an incarnation that it does
// not remember. Write a higher one than Above to disk, then answer
// IncarnationRaised.
type RaiseIncarnation struct{ Above uint64 }

// Changed: what Member returns for ID is different in the ways of What.
type Changed struct {
	ID   ID
	What Change
}

// A Change is a set of what is different about a member.
type Change uint8

// The parts of a Change.
const (
	ChangedState    Change = 1 << iota // alive, suspect, left, failed, or forgotten
	ChangedRecord                      // a record arrived
	ChangedLevel                       // level or its reason, or its round trip is known now
	ChangedStanding                    // surplus or starved; not each figure
)

func (SendNews) effect()         {}
func (FetchRecords) effect()     {}
func (Announce) effect()         {}
func (Sync) effect()             {}
func (Redial) effect()           {}
func (RaiseIncarnation) effect() {}
func (Changed) effect()          {}
