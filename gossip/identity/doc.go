// Package identity holds what makes a node a member of a cluster.
//
// A cluster is a [Secret] of 32 bytes; membership is knowledge of it. Everything
// that the members share follows from the secret by HKDF, each with a label of
// its own, so that no key tells anything about another:
//
//	secret ─┬─ gossip key     encrypts what memberlist sends
//	        ├─ news key       seals filch's own datagrams
//	        └─ signing key ── verify key ── cluster ID     the public part: [Cluster]
//
// A node is an [Identity], an Ed25519 key of its own; its peer ID is the public
// key. A [Certificate] says "this peer ID is a member of this cluster from one
// time until another" and is signed with the cluster's signing key. Whoever
// knows the secret can issue one, for itself and for others: there is no
// admission master. Both sides of every connection present theirs inside the TLS
// handshake (package gossip/host).
//
// An [Invitation], in its text form the join string, carries the secret and
// some members' addresses to a machine that is to join.
//
// # What expiry is for
//
// Certificates are checked when a connection is made and at no other time.
// Clocks are wrong by minutes everywhere and by decades on a machine without a
// battery, so [Slack] is a day on both ends, and the error says what the clock
// of this machine shows. Because members issue their own certificates, expiry does
// not shut out somebody who knows the secret; it bounds the life of a certificate
// that leaked without it, or was issued for a node that shall not have it.
//
// # Text
//
// Secret, identity and join string share one text form (text.go): a prefix that
// says what it is and in which version, then base32 in lower case, with length
// and checksum inside. It survives a double click, a line break and a change of
// case, and a mistake is told as what it is: cut short, mistyped, or the wrong
// kind of string. Base32 rather than base58 because a string that was cut short
// still begins with its length, and so can be told from a mistyped one.
//
// All types are plain values, safe for concurrent use. What is secret redacts
// itself when it is printed, logged or marshalled by accident.
package identity
