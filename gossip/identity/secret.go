package identity

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
)

// KeySize is the length of a secret and of the keys that follow from it, in bytes.
const KeySize = 32

// Secret is what all members of a cluster know and nobody else: 32 random bytes.
// Printing or logging it shows a placeholder; [Secret.Encode] is the way to
// write it down. The zero Secret belongs to no cluster. Comparing secrets with ==
// takes a time that depends on them; use [Secret.Equal].
type Secret [KeySize]byte

// Labels of what follows from the secret. Changing one makes another cluster.
const (
	gossipLabel  = "filch 1 gossip encryption"
	newsLabel    = "filch 1 news encryption"
	signingLabel = "filch 1 membership signing"
)

// NewSecret makes the secret of a new cluster.
func NewSecret() Secret {
	var s Secret
	rand.Read(s[:]) // never fails: crypto/rand ends the process instead
	return s
}

// ParseSecret reads what [Secret.Encode] wrote. White space and case do not
// matter. The error is one of [ErrTruncated], [ErrTyped], [ErrTextVersion] and
// [ErrTextKind], wrapped, and shows nothing of the text.
func ParseSecret(text string) (Secret, error) {
	var s Secret
	payload, err := secretText.decode(text)
	if err != nil {
		return s, err
	}
	if len(payload) != KeySize {
		return s, fmt.Errorf("%s: %w", secretText.name, ErrTyped)
	}
	copy(s[:], payload)
	if s.IsZero() {
		return s, fmt.Errorf("%s: it is all zeros, which is no secret", secretText.name)
	}
	return s, nil
}

// Encode returns the secret as text, for a file that only its owner may read.
func (s Secret) Encode() string { return secretText.encode(s[:]) }

// IsZero tells whether this is the zero Secret.
func (s Secret) IsZero() bool { return s.Equal(Secret{}) }

// Equal compares in constant time.
func (s Secret) Equal(t Secret) bool { return subtle.ConstantTimeCompare(s[:], t[:]) == 1 }

// GossipKey returns the 32-byte key for memberlist's packets and streams.
func (s Secret) GossipKey() []byte { return s.derive(gossipLabel) }

// NewsKey returns the 32-byte key for filch's own datagrams.
func (s Secret) NewsKey() []byte { return s.derive(newsLabel) }

// Cluster returns the public part. It costs a key derivation; keep the result.
func (s Secret) Cluster() Cluster {
	var c Cluster
	copy(c.key[:], s.signingKey().Public().(ed25519.PublicKey))
	return c
}

func (s Secret) signingKey() ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(s.derive(signingLabel))
}

func (s Secret) derive(label string) []byte {
	key, err := hkdf.Key(sha256.New, s[:], nil, label, KeySize)
	if err != nil {
		panic(fmt.Sprintf("identity: hkdf of %d bytes: %v", KeySize, err)) // only for absurd lengths
	}
	return key
}

const redactedSecret = "[cluster secret]"

// String shows a placeholder.
func (s Secret) String() string { return redactedSecret }

// GoString shows a placeholder.
func (s Secret) GoString() string { return redactedSecret }

// Format shows a placeholder, whatever the verb: %x of an array would else
// print its bytes.
func (s Secret) Format(f fmt.State, _ rune) { io.WriteString(f, redactedSecret) }

// LogValue shows a placeholder.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redactedSecret) }

// MarshalText returns a placeholder, so that a configuration that is printed as
// JSON does not contain the secret. There is no UnmarshalText.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redactedSecret), nil }
