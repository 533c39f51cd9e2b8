package identity

import (
	"crypto/rand"
	"testing"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
)

func TestIdentityMarshal(t *testing.T) {
	id := New()
	got, err := ParseIdentity(id.Marshal())
	if err != nil || got.ID() != id.ID() || !got.Key().Equals(id.Key()) {
		t.Fatalf("%v, %v", got, err)
	}
	if id.ID() == New().ID() {
		t.Error("two new identities are the same")
	}
	if _, err := ParseIdentity([]byte(NewSecret().Encode())); err == nil {
		t.Error("a secret was taken for an identity")
	}
}

func TestSignature(t *testing.T) {
	a, b := FromSeed(known(1)), FromSeed(known(2))
	msg := []byte("three free cores")
	sig := a.Sign(msg)
	if !VerifySignature(a.ID(), msg, sig) {
		t.Error("a good signature was refused")
	}
	if VerifySignature(b.ID(), msg, sig) {
		t.Error("the signature of another peer was taken")
	}
	if VerifySignature(a.ID(), append(msg, '!'), sig) {
		t.Error("an altered message was taken")
	}
	if VerifySignature(a.ID(), msg, sig[:63]) || VerifySignature("", msg, sig) || VerifySignature("nobody", msg, sig) || VerifySignature(a.ID(), msg, nil) {
		t.Error("nonsense was taken")
	}
	// What libp2p signs with the same key, in a handshake with anybody, is no
	// signature of ours, and the other way round.
	plain, err := a.Key().Sign(msg)
	if err != nil {
		t.Fatal(err)
	}
	if VerifySignature(a.ID(), msg, plain) {
		t.Error("a signature that libp2p made was taken")
	}
	if ok, _ := a.Key().GetPublic().Verify(msg, sig); ok {
		t.Error("our signature is one that libp2p takes")
	}
}

// Only Ed25519 keys are identities, so that there is one way to verify.
func TestSignatureOfOtherKeys(t *testing.T) {
	key, _, err := crypto.GenerateSecp256k1Key(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	id, err := peer.IDFromPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	sig, err := key.Sign(labelled([]byte("x")))
	if err != nil {
		t.Fatal(err)
	}
	if VerifySignature(id, []byte("x"), sig) {
		t.Error("a signature by a secp256k1 key was taken")
	}
}
