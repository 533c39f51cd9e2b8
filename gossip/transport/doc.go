// Package transport carries memberlist over the one host of a node.
//
// memberlist wants two things of the world: packets that may be lost, and streams. It
// names members by strings and addresses them by IP and port. Here a member's name is
// its peer ID, which is the hash of its public key, and the IP is made of the same peer
// ID (see Address), so that no message can give a member another address: an address
// that does not follow from the name is refused before memberlist believes it. Where the
// member really is, is the business of the Network below.
//
// # What is sealed, and what is looked at
//
// memberlist can encrypt by itself, but decodes what it finds inside without looking,
// decompresses to 40 MB what came as 1,400 bytes, and nests as deep as a sender likes.
// So encryption is done here, and what comes out of it is checked before memberlist sees
// it: type, every declared length, depth, count and trailing bytes. Compressed messages
// are refused, and none are sent.
//
// A packet is a nonce, the ciphertext, and a tag, under a key that follows from the
// cluster's secret; whom it is for is authenticated along with it, so a packet recorded
// on the wire can be replayed at that one member only. What a replay can do there is what
// memberlist's incarnation numbers leave: nothing to a member that runs, a few seconds'
// ghost of one that does not.
//
// A stream carries one frame in each direction, since that is how memberlist uses them:
// a length, then the same sealing. A frame is read whole, its length judged first, and
// memory grows only with what has really arrived.
//
// # What passes by
//
// memberlist tells nobody which members it suspects. The check reads the kind and subject
// of each message anyhow, so Config.Observe learns of suspicions as they pass.
package transport
