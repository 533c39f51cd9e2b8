package identity

import (
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

// Slack is by how much a certificate counts as valid before and after its time,
// because clocks are wrong.
const Slack = 24 * time.Hour

// Certificate says that a peer is a member of a cluster for a time. The zero
// Certificate is valid for nobody.
type Certificate struct {
	cluster     Cluster // whose signing key signed; what it claims until Verify
	id          peer.ID
	from, until int64 // Unix seconds
	signature   [ed25519.SignatureSize]byte
}

const (
	certificateVersion = 1
	// certificateLabel keeps signatures of certificates apart from signatures of
	// anything else that may once be made with the same key.
	certificateLabel = "filch 1 membership certificate:"
	// maxPeerID bounds the peer ID inside; an Ed25519 peer ID has 38 bytes.
	maxPeerID = 64
	// MaxCertificate bounds a certificate's encoding, in bytes.
	MaxCertificate = 1 + ed25519.PublicKeySize + 1 + maxPeerID + 8 + 8 + ed25519.SignatureSize
)

// ErrForged says that a certificate was not signed with the key of the cluster
// that it names.
var ErrForged = errors.New("the membership certificate's signature is wrong")

// ErrMalformed says that bytes are no membership certificate of this version.
var ErrMalformed = errors.New("malformed membership certificate")

// WrongClusterError says that a peer belongs to another cluster than this node:
// the two were started with different secrets.
type WrongClusterError struct {
	Theirs, Ours string // cluster IDs; Theirs is empty when they did not say
}

// Error says what is wrong and what to do.
func (e *WrongClusterError) Error() string {
	if e.Theirs == "" {
		return fmt.Sprintf("not a member of this cluster (%s): the secrets differ; start both nodes with the same join string", e.Ours)
	}
	return fmt.Sprintf("not a member of this cluster: it belongs to %s, this node to %s; start both nodes with the same join string", e.Theirs, e.Ours)
}

// ExpiredError says that a certificate is not valid now, by more than [Slack].
type ExpiredError struct {
	From, Until time.Time // what the certificate says
	Now         time.Time // what this machine's clock shows
}

// Error says what is wrong and what to do.
func (e *ExpiredError) Error() string {
	format := func(t time.Time) string { return t.UTC().Format(time.RFC3339) }
	what := "has expired"
	if e.Now.Before(e.From) {
		what = "is not valid yet"
	}
	return fmt.Sprintf("the membership certificate %s: valid from %s until %s, and it is %s here; check the clocks of both machines",
		what, format(e.From), format(e.Until), format(e.Now))
}

// NotForPeerError says that a certificate was issued for another peer than the
// one that presented it.
type NotForPeerError struct {
	Issued, Presented peer.ID // for whom it was issued; who presented it
}

// Error says what is wrong.
func (e *NotForPeerError) Error() string {
	return fmt.Sprintf("the membership certificate was issued for %s, and %s presented it", e.Issued, e.Presented)
}

// Issue makes a certificate for id, valid from one time until another, rounded
// down to seconds. It panics if id is empty or longer than a peer ID can be.
func (s Secret) Issue(id peer.ID, from, until time.Time) Certificate {
	if id == "" || len(id) > maxPeerID {
		panic(fmt.Sprintf("identity: a certificate for a peer ID of %d bytes", len(id)))
	}
	key := s.signingKey()
	c := Certificate{id: id, from: from.Unix(), until: until.Unix()}
	copy(c.cluster.key[:], key.Public().(ed25519.PublicKey))
	copy(c.signature[:], ed25519.Sign(key, c.message()))
	return c
}

// Verify checks that the certificate makes id a member of cluster c at the time
// now. It returns nil, a [*WrongClusterError], a [*NotForPeerError], [ErrForged]
// or an [*ExpiredError], in this order.
func (c Certificate) Verify(cluster Cluster, id peer.ID, now time.Time) error {
	switch {
	case c.cluster != cluster || cluster == Cluster{}:
		return &WrongClusterError{Theirs: c.cluster.ID(), Ours: cluster.ID()}
	case c.id != id || id == "":
		return &NotForPeerError{Issued: c.id, Presented: id}
	case !ed25519.Verify(cluster.Key(), c.message(), c.signature[:]):
		return ErrForged
	case now.Before(c.From().Add(-Slack)) || now.After(c.Until().Add(Slack)):
		return &ExpiredError{From: c.From(), Until: c.Until(), Now: now}
	}
	return nil
}

// Peer returns for whom the certificate was issued.
func (c Certificate) Peer() peer.ID { return c.id }

// Cluster returns the cluster that the certificate names; only Verify tells
// whether that is true.
func (c Certificate) Cluster() Cluster { return c.cluster }

// From returns since when the certificate is valid.
func (c Certificate) From() time.Time { return time.Unix(c.from, 0) }

// Until returns until when the certificate is valid.
func (c Certificate) Until() time.Time { return time.Unix(c.until, 0) }

// Marshal returns the encoding that [ParseCertificate] reads, at most
// [MaxCertificate] bytes. Nothing in it is secret.
func (c Certificate) Marshal() []byte { return append(c.body(), c.signature[:]...) }

// body is everything but the signature: version, cluster, peer, from, until.
func (c Certificate) body() []byte {
	b := append(make([]byte, 0, MaxCertificate), certificateVersion)
	b = append(b, c.cluster.key[:]...)
	b = append(b, byte(len(c.id)))
	b = append(b, c.id...)
	b = binary.BigEndian.AppendUint64(b, uint64(c.from))
	return binary.BigEndian.AppendUint64(b, uint64(c.until))
}

// message is what is signed.
func (c Certificate) message() []byte { return append([]byte(certificateLabel), c.body()...) }

// ParseCertificate reads what Marshal wrote and checks nothing but the form;
// errors wrap [ErrMalformed]. It is strict about trailing bytes, unlike our other
// codecs: a restriction that a later version adds must not be overlooked.
func ParseCertificate(b []byte) (Certificate, error) {
	const fixed = 1 + ed25519.PublicKeySize + 1 // up to the peer ID
	var c Certificate
	switch {
	case len(b) > MaxCertificate || len(b) < fixed:
		return Certificate{}, fmt.Errorf("%w: %d bytes", ErrMalformed, len(b))
	case b[0] != certificateVersion:
		return Certificate{}, fmt.Errorf("%w: version %d, this filch knows %d", ErrMalformed, b[0], certificateVersion)
	}
	copy(c.cluster.key[:], b[1:])
	n := int(b[fixed-1])
	rest := b[fixed:]
	if n == 0 || n > maxPeerID || len(rest) != n+8+8+ed25519.SignatureSize {
		return Certificate{}, fmt.Errorf("%w: %d bytes with a peer ID of %d", ErrMalformed, len(b), n)
	}
	id, err := peer.IDFromBytes(rest[:n])
	if err != nil {
		return Certificate{}, fmt.Errorf("%w: peer ID: %v", ErrMalformed, err)
	}
	c.id = id
	c.from = int64(binary.BigEndian.Uint64(rest[n:]))
	c.until = int64(binary.BigEndian.Uint64(rest[n+8:]))
	copy(c.signature[:], rest[n+16:])
	return c, nil
}
