// Package gossip is the cluster as one node sees it: who is there, where, how far away,
// with how much room, and who has just gone.
//
// # Three sources, one picture
//
// Serf (over memberlist) says who is a member and detects failures. Each member carries
// one small tag, which is broadcast when it changes: the position and the hash of its
// record, signed by the member. The record itself, a few hundred bytes of addresses,
// labels, cores and kinds, is fetched by its hash from whoever has it. Load changes too
// fast for either and travels as news: about once a second a datagram from each member to
// one other.
//
// What to announce, whom to tell, what to fetch and what to believe is decided by
// gossip/core, which is pure. This package turns what happens into its events and carries
// its effects out: it signs and verifies, seals datagrams, moves records, makes Serf
// broadcast and exchange state, dials seeds.
//
// # What is believed
//
// A member's name is its peer ID and its address follows from the name, so there is
// nothing to forge there. A tag is verified before memberlist believes that the member is
// alive, under memberlist's lock and some hundred times more often than tags change; so
// what was verified is remembered, per member, and compared. A tag older than one already
// seen is refused, however good its signature: it is a replay. A record counts only if
// its hash is in the tag, and its certificate is of this cluster and for that member.
//
// A member can still lie about its own capacity, and say of another that it is suspect,
// dead or leaving; who is alive refutes that within a second or two.
//
// # What is not used of Serf
//
// User events and queries (the transport refuses them), snapshots (gossip/host keeps an
// address book), name conflicts (a name is a key), coalescing (it never forgets,
// serf#555), and periodic push/pull, which grows with the square of the cluster: members
// compare digests instead, in the news, and exchange state when digests keep differing.
//
// # Locks
//
// Cluster.mu guards the machine, and is held while its effects are begun; none of them
// waits. Cluster.mu may be taken by calls out of the transport, so nothing is asked of
// memberlist or Serf while it is held: they hold their own locks while they wait for
// EventCh. tags.mu is a leaf under memberlist's lock.
package gossip
