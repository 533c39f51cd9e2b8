package identity

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestCertificateVerify(t *testing.T) {
	secret, member, other := known(1), FromSeed(known(1)).ID(), FromSeed(known(2)).ID()
	cert := secret.Issue(member, noon, noon.Add(time.Hour))
	forged := cert
	forged.until += 3600
	selfMade := known(2).Issue(member, noon, noon.Add(time.Hour))
	claims := selfMade
	claims.cluster = secret.Cluster()

	for _, c := range []struct {
		name    string
		cert    Certificate
		cluster Cluster
		id      peer.ID
		now     time.Time
		want    string // part of the error; empty: valid
	}{
		{"a member", cert, secret.Cluster(), member, noon, ""},
		{"a clock that is a day late", cert, secret.Cluster(), member, noon.Add(-Slack), ""},
		{"a clock that is a day early", cert, secret.Cluster(), member, noon.Add(time.Hour + Slack), ""},
		{"a clock of 1970", cert, secret.Cluster(), member, time.Unix(0, 0), "not valid yet"},
		{"expired", cert, secret.Cluster(), member, noon.Add(time.Hour + Slack + time.Second), "has expired"},
		{"another peer", cert, secret.Cluster(), other, noon, "was issued for"},
		{"no peer", cert, secret.Cluster(), "", noon, "was issued for"},
		{"life prolonged", forged, secret.Cluster(), member, noon, ErrForged.Error()},
		{"another cluster", selfMade, secret.Cluster(), member, noon, "it belongs to " + known(2).Cluster().ID()},
		{"claims to be of this cluster", claims, secret.Cluster(), member, noon, ErrForged.Error()},
		{"zero certificate", Certificate{}, secret.Cluster(), member, noon, "not a member"},
		{"zero certificate, zero cluster", Certificate{}, Cluster{}, "", noon, "not a member"},
	} {
		err := c.cert.Verify(c.cluster, c.id, c.now)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// Nobody can alter a certificate in any bit.
func TestCertificateEveryBitCounts(t *testing.T) {
	secret, member := known(1), FromSeed(known(1)).ID()
	good := secret.Issue(member, noon, noon.Add(time.Hour)).Marshal()
	for i := range len(good) * 8 {
		b := bytes.Clone(good)
		b[i/8] ^= 1 << (i % 8)
		c, err := ParseCertificate(b)
		if err == nil && c.Verify(secret.Cluster(), member, noon) == nil {
			t.Fatalf("bit %d was turned and the certificate is still valid", i)
		}
	}
}

func TestCertificateMarshal(t *testing.T) {
	cert := known(1).Issue(FromSeed(known(1)).ID(), noon, noon.Add(time.Hour))
	b := cert.Marshal()
	const golden = "01f9bf98f51b874bfe081fe6d641456e58a6b1fde0ba12bda62469ec2d0a48f3f7" + // version, cluster
		"2600240801122079b5562e8fe654f94078b112e8a98ba7901f853ae695bed7e0e3910bad049664" + // peer
		"0000000069a42a400000000069a43850" + // from, until
		"205778e26143b458185d4715e2f995761c1085784c3b79366088c5250b6144c0054738f4bc16680ce38a01946c46e04edb622f22cefdbd15de7fdc5ffbc82e02"
	if hex.EncodeToString(b) != golden {
		t.Errorf("encoded as %x", b)
	}
	got, err := ParseCertificate(b)
	if err != nil || got != cert {
		t.Fatalf("%+v, %v", got, err)
	}
	for n := range len(b) {
		if _, err := ParseCertificate(b[:n]); !errors.Is(err, ErrMalformed) {
			t.Fatalf("%d bytes: %v", n, err)
		}
	}
	if _, err := ParseCertificate(append(b, 0)); !errors.Is(err, ErrMalformed) {
		t.Errorf("a trailing byte: %v", err)
	}
}

func FuzzParseCertificate(f *testing.F) {
	f.Add(known(1).Issue(FromSeed(known(1)).ID(), noon, noon.Add(time.Hour)).Marshal())
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := ParseCertificate(b)
		if err != nil {
			return
		}
		if !bytes.Equal(c.Marshal(), b) {
			t.Errorf("%x became %x", b, c.Marshal())
		}
		if err := c.Verify(known(2).Cluster(), c.Peer(), noon); err == nil {
			t.Errorf("%x is valid", b)
		}
	})
}
