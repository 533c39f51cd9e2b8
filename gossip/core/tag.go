package core

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
)

// HashLen is the length of a record's hash, in bytes. Nobody gains from two
// records of one hash but their owner, who may say what it likes anyway.
const HashLen = 16

// A Hash names a record by its encoding: the first bytes of SHA-256.
type Hash [HashLen]byte

// HashOf returns the hash of an encoded record.
func HashOf(encoded []byte) Hash {
	sum := sha256.Sum256(encoded)
	return Hash(sum[:HashLen])
}

// String returns the hash in hexadecimal.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// SignatureLen is the length of an Ed25519 signature, in bytes.
const SignatureLen = 64

// MaxTagLen bounds an encoded tag, in bytes: version, two numbers, hash, signature.
const MaxTagLen = 1 + 2*binary.MaxVarintLen64 + HashLen + SignatureLen

// tagVersion begins every tag. It is no printable character, so that a tag that
// somebody typed is refused for its first byte.
const tagVersion = 1

// A Tag travels with a member's name through Serf: which record is the member's
// newest, signed by the member. The driver signs and verifies; this package says
// what is signed, and which of two tags is newer.
type Tag struct {
	Incarnation uint64
	Sequence    uint64
	Hash        Hash // of the encoded record
	Signature   [SignatureLen]byte
}

// Signed returns what the signature of member id covers. Its own label keeps it
// from being taken for anything else that a node signs. The address that memberlist
// announces is derived from the ID, so it is covered too.
func (t Tag) Signed(id ID) []byte {
	b := append([]byte("filch tag 1\x00"), byte(len(id)))
	b = append(b, id...)
	b = binary.BigEndian.AppendUint64(b, t.Incarnation)
	b = binary.BigEndian.AppendUint64(b, t.Sequence)
	return append(b, t.Hash[:]...)
}

// Encode returns the tag's encoding, at most MaxTagLen bytes.
func (t Tag) Encode() []byte {
	b := binary.AppendUvarint([]byte{tagVersion}, t.Incarnation)
	b = binary.AppendUvarint(b, t.Sequence)
	b = append(b, t.Hash[:]...)
	return append(b, t.Signature[:]...)
}

// ErrTag is what every error of DecodeTag wraps.
var ErrTag = errors.New("core: not a tag")

// DecodeTag reads a tag and refuses everything that Encode does not write. It
// does not verify the signature.
func DecodeTag(b []byte) (Tag, error) {
	if len(b) == 0 || len(b) > MaxTagLen || b[0] != tagVersion {
		return Tag{}, fmt.Errorf("%w: %d bytes", ErrTag, len(b))
	}
	var t Tag
	incarnation, n := binary.Uvarint(b[1:])
	if n <= 0 {
		return Tag{}, fmt.Errorf("%w: its incarnation is cut off", ErrTag)
	}
	sequence, k := binary.Uvarint(b[1+n:])
	if k <= 0 {
		return Tag{}, fmt.Errorf("%w: its sequence is cut off", ErrTag)
	}
	rest := b[1+n+k:]
	if len(rest) != HashLen+SignatureLen {
		return Tag{}, fmt.Errorf("%w: hash and signature have %d bytes, want %d", ErrTag, len(rest), HashLen+SignatureLen)
	}
	t.Incarnation, t.Sequence = incarnation, sequence
	copy(t.Hash[:], rest)
	copy(t.Signature[:], rest[HashLen:])
	if !bytes.Equal(t.Encode(), b) {
		return Tag{}, fmt.Errorf("%w: its numbers are written longer than they are", ErrTag)
	}
	return t, nil
}

// Before reports whether t was announced before u by the same member.
func (t Tag) Before(u Tag) bool {
	if t.Incarnation != u.Incarnation {
		return t.Incarnation < u.Incarnation
	}
	return t.Sequence < u.Sequence
}

// A RollbackError is the refusal of a tag that is older than one already seen of
// the same member: a replay, or a node whose data directory was restored from a
// backup.
type RollbackError struct{ Known, Offered Tag }

// Error says both positions.
func (e *RollbackError) Error() string {
	return fmt.Sprintf("core: tag (%d, %d) is older than (%d, %d), which was seen before",
		e.Offered.Incarnation, e.Offered.Sequence, e.Known.Incarnation, e.Known.Sequence)
}

// A ForkError is the refusal of a second tag for one position: two nodes run with
// one identity.
type ForkError struct{ Known, Offered Tag }

// Error says the position and both hashes.
func (e *ForkError) Error() string {
	return fmt.Sprintf("core: two tags for (%d, %d), of records %s and %s: do two nodes run with one identity?",
		e.Known.Incarnation, e.Known.Sequence, e.Known.Hash, e.Offered.Hash)
}

// Follow returns nil if a member whose tag was known may now show offered: the same tag,
// or a newer one. Otherwise it returns a *RollbackError or a *ForkError. The
// driver asks in memberlist's Alive delegate, where it has no Machine at hand.
func Follow(known, offered Tag) error {
	switch {
	case offered.Before(known):
		return &RollbackError{known, offered}
	case !known.Before(offered) && offered.Hash != known.Hash:
		return &ForkError{known, offered}
	}
	return nil
}
