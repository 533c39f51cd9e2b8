package identity

import (
	"crypto/ed25519"
	"crypto/sha256"
)

// Cluster is what may be public about a cluster: the key that verifies its
// members' certificates. It is comparable; the zero Cluster admits nobody.
type Cluster struct{ key [ed25519.PublicKeySize]byte }

// clusterIDBytes of a hash name a cluster: 10 bytes are 16 characters of base32,
// far more than is needed to tell the clusters of one network apart.
const clusterIDBytes = 10

// ID returns a short name of the cluster, 16 characters a-z and 2-7. It is for
// people, logs and mDNS; admission compares the whole key.
func (c Cluster) ID() string {
	h := sha256.Sum256(append([]byte("filch 1 cluster id"), c.key[:]...))
	return base32Lower.EncodeToString(h[:clusterIDBytes])
}

// Key returns a copy of the key that verifies certificates.
func (c Cluster) Key() ed25519.PublicKey { return ed25519.PublicKey(c.key[:]) }

// String returns the ID.
func (c Cluster) String() string { return c.ID() }
