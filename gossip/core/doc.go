// Package core is one node's share of the membership, as a pure state machine:
// what to announce and when, whom to tell, what to believe and for how long, how
// near a peer is, whose record to fetch from whom, when two views are
// compared, and whom to dial when nobody is left. Step takes an Event and returns
// Effects; time, randomness and verified signatures come from outside. The driver,
// package gossip, carries effects out. It needs one lock and one timer, for NextWake.
//
// # What is known, and from whom
//
//	what             how it comes                  why it is believed
//	who is there     Serf: MemberSeen, MemberGone  failure detection; the driver knows the key
//	its Tag          with the name, through Serf   signed by the member; never goes back
//	its Record       fetched by hash from anybody  the tag names the hash, the record its owner
//	its News         a datagram a second           it is newer; nothing is proven
//
// Broadcast is for what rarely changes: a tag of some hundred bytes. A record,
// ten times as large, is fetched once by everybody, from anybody (fetch.go). Load
// changes all the time and is never broadcast: at each turn a node tells one
// random peer, half of the time one of its rack, about itself and the freshest
// surplus and starved entries that it knows (news.go, entry.go).
//
// # What news costs, and what it gives
//
// A datagram has 10 bytes of header and 21 per entry, at most eight of them, and
// 28 for the seal. Turns come every second while anything stirs and every three when
// nothing has for ten, so a node sends and receives together, at any number of
// members, 67 B/s idle and 412 B/s when all kinds of entries abound (costmodel.go;
// TestIdleCostIsTheModels, TestCostUnderChangesIsTheModels and
// TestCostAtTenThousand hold it against simulated clusters).
//
// One datagram a second would take a rumour eight seconds to reach 50 nodes. So
// the first surplus after a quiet time is told to four peers at once, and whoever
// hears of it for the first time does the same. That is a broadcast, and therefore
// only for who knows less than two nodes with surplus, which is all that a thief
// needs, and out of a bucket: UrgentEvery bounds the long run whatever the load
// does and whatever members forge.
//
// A belief is a hint. Where every node's load changes every five seconds, the
// freshest two of a node's candidates are some three seconds old at 50 to 300
// nodes, and a quarter to two fifths of them no longer have surplus; exact load
// rides on steal messages. News says nothing about who is alive, and gossip never
// decides what is true.
//
// # What is not believed
//
//   - A tag before one that was seen, by (incarnation, sequence): a replay. The tags
//     of gone members are remembered for that (MaxGone). Seen with a newer tag than
//     its own, a node lost its incarnation (a restored backup) and raises it.
//   - A second tag for one position: two nodes run with one identity.
//   - A record whose hash, owner or position is not the tag's.
//   - A datagram whose sender is no present member, or whose number is not above that
//     sender's last one. The driver seals datagrams with the receiver's ID as associated data,
//     so a captured one is good for nobody else either.
//   - An entry that is not newer than what is believed, of another incarnation than
//     the tag's, older than MaxAge, or about nobody who is a member.
//
// Who has the cluster's key can lie in the news about others as well as about
// itself. The victim hears of it and continues above the forged number; who does
// not hear the victim forgets the lie after MaxAge. A datagram forged in a
// member's name can make one receiver take the member's own ones for replays until its
// next incarnation; entries about it still come through others.
//
// # What holds
//
//   - Memory: one peer per member, at most MaxMembers; beliefs, wants and levels are
//     parts of a peer; MaxSeeds; MaxCached. No message makes a peer, only Serf does.
//   - The digest is that of the present members with their tags, whatever the
//     order of events. Suspicion is no difference: it comes and goes by itself.
//   - One fetch and one sync are out at a time, and both end without an answer.
//   - After a Step, NextWake lies in the future: no event makes the machine spin.
//   - Equal seeds and events give equal effects; no map is ranged over where its
//     order could show.
//
// TestInvariantsHoldWhateverHappens checks these after every step of random lives,
// TestStepsFollowFromTheSeed the last.
//
// # Rejected
//
//   - Load in Serf's tags: 100 nodes that set theirs every five seconds blocked each
//     other. User events: one a second for the whole cluster costs more than all this.
//   - Peer IDs in entries: 38 bytes where 8 do (id.go).
//   - Signed entries: 64 bytes each, so that a member could still lie about itself.
//   - Only the turns, or a shorter interval, instead of urgent news: two seconds at
//     50 nodes need five datagrams a second, idle or not.
//   - Stirring at every change that is heard of: in a large cluster somebody is always heard of
//     for the first time, and it would never become quiet.
//   - memberlist's periodic push/pull: its cost per node grows with the members.
//     Digests ride on the news (reconcile.go), and a difference that persists is pulled.
package core
