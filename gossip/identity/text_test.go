package identity

import (
	"errors"
	"strings"
	"testing"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
)

func invitation(t testing.TB) Invitation {
	t.Helper()
	inv := Invitation{Secret: known(3)}
	for i := range 2 {
		inv.Peers = append(inv.Peers, peer.AddrInfo{ID: FromSeed(known(byte(i))).ID(), Addrs: []ma.Multiaddr{
			ma.StringCast("/ip4/192.168.1.7/udp/7447/quic-v1"), ma.StringCast("/ip6/fd00::1/tcp/7447"),
		}})
	}
	return inv
}

func TestJoinString(t *testing.T) {
	inv := invitation(t)
	text := inv.Encode()
	forms := map[string]string{
		"as it is":       text,
		"spaces around":  "  " + text + "\r\n",
		"lines broken":   text[:40] + "\n    " + text[40:90] + "\r\n" + text[90:],
		"in upper case":  strings.ToUpper(text),
		"broken at dash": text[:5] + " " + text[5:],
	}
	for name, form := range forms {
		got, err := ParseInvitation(form)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !got.Secret.Equal(inv.Secret) || len(got.Peers) != 2 || got.Peers[1].ID != inv.Peers[1].ID || len(got.Peers[1].Addrs) != 2 || !got.Peers[1].Addrs[1].Equal(inv.Peers[1].Addrs[1]) {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

// Every prefix of a join string is told to be cut short, and every other
// mistake is told as what it is; nothing of the text is in the message.
func TestJoinStringMistakes(t *testing.T) {
	text := invitation(t).Encode()
	for n := 1; n < len(text); n++ {
		if _, err := ParseInvitation(text[:n]); !errors.Is(err, ErrTruncated) {
			t.Fatalf("the first %d of %d characters: %v", n, len(text), err)
		}
	}
	typed := strings.Replace(text, text[60:61], map[bool]string{true: "b", false: "a"}[text[60] == 'a'], 1)
	b := []byte(text)
	b[60] = 'a' + (b[60]-'a'+1)%26
	for _, c := range []struct {
		name, text string
		want       error
	}{
		{"a letter replaced", string(b), ErrTyped},
		{"another letter replaced", typed, ErrTyped},
		{"a digit that base32 has not", text[:60] + "8" + text[61:], ErrTyped},
		{"a letter too many", text + "a", ErrTyped},
		{"eight letters too many", text + "aaaaaaaa", ErrTyped},
		{"a later version", "filch2" + text[6:], ErrTextVersion},
		{"the secret alone", known(3).Encode(), ErrTextKind},
		{"the identity", string(FromSeed(known(1)).Marshal()), ErrTextKind},
		{"something else", "hunter2", ErrTextKind},
		{"a large file", strings.Repeat("filch1", 1<<20), ErrTextKind},
	} {
		_, err := ParseInvitation(c.text)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), text[30:40]) {
			t.Errorf("%s: the message shows the secret: %v", c.name, err)
		}
	}
	if _, err := ParseInvitation(""); err == nil {
		t.Error("an empty join string was taken")
	}
}

func TestJoinStringIsBounded(t *testing.T) {
	inv := Invitation{Secret: known(1)}
	addr := ma.StringCast("/ip6/2001:db8::1/udp/65535/quic-v1/p2p/" + FromSeed(known(9)).ID().String())
	for i := range 40 {
		inv.Peers = append(inv.Peers, peer.AddrInfo{ID: FromSeed(known(byte(i))).ID(), Addrs: make([]ma.Multiaddr, 0)})
		for range 40 {
			inv.Peers[i].Addrs = append(inv.Peers[i].Addrs, addr)
		}
	}
	text := inv.Encode()
	if len(text) > maxText/2 {
		t.Errorf("%d characters", len(text))
	}
	got, err := ParseInvitation(text)
	if err != nil || len(got.Peers) != MaxInvitedPeers || len(got.Peers[0].Addrs) != MaxInvitedAddrs {
		t.Fatalf("%v, %v", got, err)
	}
	if a := got.Peers[0].Addrs[0].String(); strings.Contains(a, "p2p") {
		t.Errorf("address with a peer ID: %s", a)
	}
}

// A later version may add fields behind the peers.
func TestJoinStringTakesLaterFields(t *testing.T) {
	inv := invitation(t)
	payload, err := joinText.decode(inv.Encode())
	if err != nil {
		t.Fatal(err)
	}
	got, err := ParseInvitation(joinText.encode(append(payload, "expires tomorrow"...)))
	if err != nil || len(got.Peers) != 2 {
		t.Errorf("%v, %v", got, err)
	}
	for n := range len(payload) {
		if _, err := ParseInvitation(joinText.encode(payload[:n])); err == nil {
			t.Fatalf("a join string with only %d of %d bytes inside was taken", n, len(payload))
		}
	}
}

func FuzzParseInvitation(f *testing.F) {
	f.Add(invitation(f).Encode())
	f.Add(known(1).Encode())
	f.Add("filch1")
	f.Fuzz(func(t *testing.T, text string) {
		inv, err := ParseInvitation(text)
		if err != nil {
			return
		}
		again, err := ParseInvitation(inv.Encode())
		if err != nil || !again.Secret.Equal(inv.Secret) || len(again.Peers) != len(inv.Peers) {
			t.Errorf("%v does not survive: %v, %v", inv, again, err)
		}
	})
}

// FuzzInvitationPayload gets behind the checksum.
func FuzzInvitationPayload(f *testing.F) {
	payload, err := joinText.decode(invitation(f).Encode())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(payload)
	f.Fuzz(func(t *testing.T, b []byte) {
		inv, err := parseInvitation(b)
		if err == nil && (len(inv.Peers) > MaxInvitedPeers || inv.Secret.IsZero()) {
			t.Errorf("%v was taken", inv)
		}
	})
}
