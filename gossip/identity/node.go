package identity

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/crypto/pb"
	"github.com/libp2p/go-libp2p/core/peer"
)

// Identity is a node's own Ed25519 key. Printing or logging it shows the peer ID
// only. The zero Identity is nobody's: its ID is empty and its key nil.
type Identity struct {
	seed [ed25519.SeedSize]byte
	key  crypto.PrivKey
	id   peer.ID
}

// signatureLabel keeps what Sign signs apart from what libp2p signs with the
// same key in its handshakes.
const signatureLabel = "filch 1 signature:"

// New makes the identity of a new node.
func New() Identity {
	var seed [ed25519.SeedSize]byte
	rand.Read(seed[:]) // never fails: crypto/rand ends the process instead
	return FromSeed(seed)
}

// FromSeed makes the one identity that belongs to the seed. It is for tests and
// simulations that want the same identities every time.
func FromSeed(seed [ed25519.SeedSize]byte) Identity {
	key, err := crypto.UnmarshalEd25519PrivateKey(ed25519.NewKeyFromSeed(seed[:]))
	if err != nil {
		panic(fmt.Sprintf("identity: %v", err)) // only for a key of the wrong length
	}
	id, err := peer.IDFromPrivateKey(key)
	if err != nil {
		panic(fmt.Sprintf("identity: %v", err)) // only for a key that cannot be marshalled
	}
	return Identity{seed: seed, key: key, id: id}
}

// ParseIdentity reads what Marshal wrote. The error is one of [ErrTruncated],
// [ErrTyped], [ErrTextVersion] and [ErrTextKind], wrapped, and shows nothing of
// the text.
func ParseIdentity(text []byte) (Identity, error) {
	payload, err := identityText.decode(string(text))
	if err != nil {
		return Identity{}, err
	}
	if len(payload) != ed25519.SeedSize {
		return Identity{}, fmt.Errorf("%s: %w", identityText.name, ErrTyped)
	}
	return FromSeed([ed25519.SeedSize]byte(payload)), nil
}

// Marshal returns the private key as a line of text, for a file that only its
// owner may read. It panics on the zero Identity.
func (i Identity) Marshal() []byte {
	if i.key == nil {
		panic(errors.New("identity: Marshal of the zero Identity"))
	}
	return append([]byte(identityText.encode(i.seed[:])), '\n')
}

// ID returns the peer ID.
func (i Identity) ID() peer.ID { return i.id }

// Key returns the private key in libp2p's form.
func (i Identity) Key() crypto.PrivKey { return i.key }

// Sign signs msg; [VerifySignature] checks it. Whoever signs several kinds of
// messages begins each with a label. It panics on the zero Identity.
func (i Identity) Sign(msg []byte) []byte {
	return ed25519.Sign(ed25519.NewKeyFromSeed(i.seed[:]), labelled(msg))
}

// VerifySignature tells whether the node with the given peer ID signed msg.
func VerifySignature(id peer.ID, msg, sig []byte) bool {
	key, err := id.ExtractPublicKey()
	if err != nil || key.Type() != pb.KeyType_Ed25519 {
		return false
	}
	ok, err := key.Verify(labelled(msg), sig)
	return err == nil && ok
}

func labelled(msg []byte) []byte { return append([]byte(signatureLabel), msg...) }

// String returns the peer ID.
func (i Identity) String() string { return i.id.String() }

// GoString returns the peer ID.
func (i Identity) GoString() string { return i.id.String() }

// Format prints the peer ID, whatever the verb.
func (i Identity) Format(f fmt.State, _ rune) { io.WriteString(f, i.id.String()) }

// LogValue returns the peer ID.
func (i Identity) LogValue() slog.Value { return slog.StringValue(i.id.String()) }

// MarshalText returns the peer ID, so that a configuration that is printed as
// JSON does not contain the key. There is no UnmarshalText.
func (i Identity) MarshalText() ([]byte, error) { return []byte(i.id.String()), nil }
