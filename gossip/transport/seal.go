package transport

import (
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"fmt"

	"github.com/libp2p/go-libp2p/core/peer"
)

// Overhead is by how many bytes sealing makes a message longer: a random nonce of 12 and
// a tag of 16.
const Overhead = 28

// ErrSeal says that a message was not sealed with this key, or not for this purpose, or
// not for this member.
var ErrSeal = errors.New("not sealed with this cluster's key for this member")

// Seal encrypts and authenticates messages between members that know one key. Each
// message is bound to its purpose and to whom it is for. It may be used concurrently.
//
// It is AES-GCM with random nonces. Under one key 2³² messages are safe by NIST's
// reckoning (a collision of probability 2⁻³²); a cluster of a hundred busy members takes
// some months to send that many, and a collision would give away two datagrams of gossip
// and the means to forge some, to somebody who recorded all of them. That is why what
// matters is signed besides, and streams have TLS below.
type Seal struct {
	aead    cipher.AEAD
	purpose string
}

// NewSeal makes a Seal of a key of 16 or 32 bytes. Seals of different purposes do not
// open each other's messages.
func NewSeal(key []byte, purpose string) (*Seal, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("the key for %s: %w", purpose, err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("the key for %s: %w", purpose, err)
	}
	return &Seal{aead: aead, purpose: purpose}, nil
}

// Seal appends the sealed plain to dst. dst and plain must not overlap.
func (s *Seal) Seal(dst []byte, to peer.ID, plain []byte) []byte {
	return s.aead.Seal(dst, nil, plain, s.about(to))
}

// Open returns what was sealed for the member to, in memory of its own, or ErrSeal.
func (s *Seal) Open(to peer.ID, sealed []byte) ([]byte, error) {
	if len(sealed) < Overhead {
		return nil, ErrSeal
	}
	plain, err := s.aead.Open(nil, nil, sealed, s.about(to))
	if err != nil {
		return nil, ErrSeal
	}
	return plain, nil
}

// about is what is authenticated besides the message. The purpose has no zero byte.
func (s *Seal) about(to peer.ID) []byte {
	b := make([]byte, 0, 64)
	b = append(b, s.purpose...)
	b = append(b, 0)
	return append(b, to...)
}
