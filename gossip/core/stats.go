package core

// Stats counts what a Machine did and what it refused, since it was made. The
// driver turns them into metrics.
type Stats struct {
	NewsSent      uint64 // datagrams
	NewsSentBytes uint64 // of datagrams, before they are sealed
	NewsUrgent    uint64 // of the datagrams, those that did not wait for their turn
	NewsReceived  uint64 // datagrams that were taken

	EntriesTaken   uint64 // that were newer than what was believed
	EntriesKnown   uint64 // that told nothing new
	EntriesUnknown uint64 // about nobody who is a member
	EntriesExpired uint64 // older than MaxAge
	EntriesRefused uint64 // of another incarnation than the member's tag

	RefusedMalformed uint64 // datagrams that do not decode
	RefusedStranger  uint64 // datagrams of nobody who is a member
	RefusedForged    uint64 // datagrams in the name of another than who sent it
	RefusedReplay    uint64 // datagrams not newer than the sender's last, or of another incarnation
	Refuted          uint64 // news about this node that it never sent

	TagsRolledBack uint64 // MemberSeen with an older tag
	TagsForked     uint64 // MemberSeen with a second tag for one position
	MembersRefused uint64 // beyond MaxMembers

	RecordsTaken   uint64
	RecordsRefused uint64 // malformed, unwanted, or not what their owner's tag says
	Fetches        uint64
	FetchesFailed  uint64 // that brought nothing wanted

	DigestsEqual    uint64
	DigestsDiffered uint64
	Syncs           uint64
	Redials         uint64
	Announcements   uint64
}

// Stats returns the counts so far.
func (m *Machine) Stats() Stats { return m.stats }
