package transport

import (
	"bytes"
	"errors"
	"testing"

	"github.com/libp2p/go-libp2p/core/peer"
)

func TestSealBindsKeyPurposeAndReceiver(t *testing.T) {
	key, other := bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32)
	make := func(key []byte, purpose string) *Seal {
		s, err := NewSeal(key, purpose)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s, me := make(key, "a"), peer.ID("me")
	sealed := s.Seal(nil, me, []byte("hello"))
	if len(sealed) != 5+Overhead {
		t.Errorf("%d bytes, Overhead says %d", len(sealed), 5+Overhead)
	}
	if plain, err := s.Open(me, sealed); err != nil || string(plain) != "hello" {
		t.Fatalf("%q, %v", plain, err)
	}
	flipped := bytes.Clone(sealed)
	flipped[len(flipped)-1] ^= 1
	for name, err := range map[string]error{
		"another key":      second(make(other, "a").Open(me, sealed)),
		"another purpose":  second(make(key, "b").Open(me, sealed)),
		"another receiver": second(s.Open("you", sealed)),
		"a flipped bit":    second(s.Open(me, flipped)),
		"cut off":          second(s.Open(me, sealed[:len(sealed)-1])),
		"nearly nothing":   second(s.Open(me, sealed[:5])),
	} {
		if !errors.Is(err, ErrSeal) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func second(_ []byte, err error) error { return err }

func TestAddressFollowsFromThePeer(t *testing.T) {
	a, b := peer.ID("a"), peer.ID("b")
	if IP(a).Equal(IP(b)) || IP(a)[0] != 0xfd || len(IP(a)) != 16 {
		t.Errorf("%v, %v", IP(a), IP(b))
	}
	for _, name := range []string{"", "x", "node1", string(bytes.Repeat([]byte("1"), 500))} {
		if id, err := PeerOf(name); err == nil {
			t.Errorf("%.20q is taken for the peer %s", name, id)
		}
	}
}
