package identity

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/libp2p/go-libp2p/core/peer"
)

// known returns a secret that is the same in every run.
func known(b byte) (s Secret) {
	for i := range s {
		s[i] = b + byte(i)
	}
	return s
}

// Members of different versions understand each other only while these stay.
func TestKeysNeverChange(t *testing.T) {
	s := known(1)
	for _, c := range []struct{ name, got, want string }{
		{"gossip key", hex.EncodeToString(s.GossipKey()), "23d6fe321f7fe1021d93c4f75e05b23d65a17e08a5e15c489524574b50f9c509"},
		{"news key", hex.EncodeToString(s.NewsKey()), "a7578ff92a301f2c18eaefbb028ad10b9e4e3fb5f0c19c46b4db8b180c37d4ac"},
		{"verify key", hex.EncodeToString(s.Cluster().Key()), "f9bf98f51b874bfe081fe6d641456e58a6b1fde0ba12bda62469ec2d0a48f3f7"},
		{"cluster ID", s.Cluster().ID(), "mmz7g5wska4x27go"},
		{"text", s.Encode(), "filchsecret1aaqacaqdaqcqmbyibefawdanbyhraeiscmkbkfqxdamrugy4dupb6ifgpxjne"},
		{"peer ID", FromSeed(known(1)).ID().String(), "12D3KooWJ1TsijH7H5F74hfAD5XishQz3sxrmAtVY37GtNd9CqYf"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s, was %s", c.name, c.got, c.want)
		}
	}
}

func TestKeysOfOneSecretDiffer(t *testing.T) {
	s := known(1)
	seen := map[string]string{}
	for name, key := range map[string][]byte{
		"secret": s[:], "gossip": s.GossipKey(), "news": s.NewsKey(), "signing": s.derive(signingLabel), "verify": s.Cluster().Key(),
	} {
		if len(key) != KeySize {
			t.Errorf("%s key has %d bytes", name, len(key))
		}
		if other := seen[string(key)]; other != "" {
			t.Errorf("%s and %s key are the same", name, other)
		}
		seen[string(key)] = name
	}
	if known(1).Cluster() == known(2).Cluster() {
		t.Error("two secrets, one cluster")
	}
}

func TestSecretIsNeverPrinted(t *testing.T) {
	s, id := known(1), FromSeed(known(1))
	inv := Invitation{Secret: s, Peers: []peer.AddrInfo{{ID: id.ID()}}}
	type config struct {
		Secret     Secret
		Identity   Identity
		Invitation Invitation
		Pointer    *Secret
	}
	c := config{s, id, inv, &s}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%b", "%o", "%08b", "%c", "%U", "%t"} {
		fmt.Fprintf(&out, verb+" "+verb+" "+verb+" "+verb+" "+verb+"\n", s, id, inv, c, &s)
	}
	for _, h := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(h).Info("x", "s", s, "p", &s, "id", id, "inv", inv, "c", c)
	}
	b, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(b)
	text := out.String()
	for _, form := range []string{"%d", "%x", "%X", "%o", "%b"} {
		first := fmt.Sprintf(form, s[:8])
		first = strings.Trim(first, "[]")
		for _, f := range []string{first, strings.ReplaceAll(first, " ", ", "), strings.ReplaceAll(first, " ", ",")} {
			if strings.Contains(text, f) {
				t.Errorf("the secret is visible as %q in:\n%s", f, text)
			}
		}
	}
	if strings.Contains(text, base32Lower.EncodeToString(s[5:10])) {
		t.Errorf("the secret is visible as base32 in:\n%s", text)
	}
}

func TestSecretEncode(t *testing.T) {
	s := NewSecret()
	if s == NewSecret() {
		t.Fatal("two new secrets are the same")
	}
	got, err := ParseSecret(s.Encode())
	if err != nil || !got.Equal(s) {
		t.Fatalf("%v, %v", got.Equal(s), err)
	}
	if _, err := ParseSecret(Secret{}.Encode()); err == nil {
		t.Error("a secret of zeros was taken")
	}
}
