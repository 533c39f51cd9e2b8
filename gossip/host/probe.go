package host

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"net/netip"

	"github.com/libp2p/go-libp2p/core/peer"
)

// A probe asks whether datagrams reach a peer at one of its addresses, and the
// answer says so, and from where the probe seemed to come. Both are sealed with
// a key that only members have, so that strangers get no answer at all, and the
// answer is no longer than the question.
//
//	kind 0 | 1 ask, 2 answer, 3 summons or 4 pass | nonce 8 | from 8 | to 8 | address 18 | seal 16
//
// from and to are the beginnings of hashes of the peer IDs: several machines may
// have the same address, each in a network of its own (docker's 172.17.0.1), and
// only the one that is meant answers. Summonses have the same form; see summon.go.
type probe struct {
	kind     byte // 0 is askType
	nonce    uint64
	from, to [8]byte
	seen     netip.AddrPort // in an answer: where the probe came from
}

const (
	probeKind  byte = 0
	probeBody       = 1 + 1 + 8 + 8 + 8 + 18
	probeSeal       = 16
	probeSize       = probeBody + probeSeal
	askType         = 1
	answerType      = 2
	summonType      = 3 // to the peer that shall call
	passType        = 4 // to a member, to be passed on to that peer
)

// probeLabel separates the key of probes from everything else that is made of
// the news key.
const probeLabel = "filch 1 path probe"

var errProbe = errors.New("not a probe of a member")

// shortID is what a probe calls a peer.
func shortID(id peer.ID) [8]byte {
	h := sha256.Sum256([]byte(id))
	return [8]byte(h[:8])
}

func probeKey(newsKey []byte) []byte {
	m := hmac.New(sha256.New, newsKey)
	m.Write([]byte(probeLabel))
	return m.Sum(nil)
}

func (p probe) marshal(key []byte) []byte {
	b := make([]byte, 0, probeSize)
	b = append(b, probeKind, max(p.kind, askType))
	b = binary.BigEndian.AppendUint64(b, p.nonce)
	b = append(b, p.from[:]...)
	b = append(b, p.to[:]...)
	addr := p.seen.Addr()
	if !addr.IsValid() {
		addr = netip.IPv6Unspecified()
	}
	ip := addr.As16()
	b = append(b, ip[:]...)
	b = binary.BigEndian.AppendUint16(b, p.seen.Port())
	return append(b, seal(key, b)...)
}

func seal(key, b []byte) []byte {
	m := hmac.New(sha256.New, key)
	m.Write(b)
	return m.Sum(nil)[:probeSeal]
}

// parseProbe checks the seal and reads a probe. Bytes behind the seal are not allowed.
func parseProbe(key, b []byte) (probe, error) {
	var p probe
	if len(b) != probeSize || b[0] != probeKind || b[1] < askType || b[1] > passType {
		return p, errProbe
	}
	if !hmac.Equal(b[probeBody:], seal(key, b[:probeBody])) {
		return p, errProbe
	}
	p.kind = b[1]
	p.nonce = binary.BigEndian.Uint64(b[2:])
	copy(p.from[:], b[10:])
	copy(p.to[:], b[18:])
	p.seen = netip.AddrPortFrom(netip.AddrFrom16([16]byte(b[26:42])).Unmap(), binary.BigEndian.Uint16(b[42:]))
	return p, nil
}
