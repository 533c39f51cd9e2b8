package identity

import (
	"fmt"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
)

// Invitation is what a machine needs to join a cluster: the secret, and members
// with addresses to begin with (none where mDNS finds them). Whoever has it can
// join, run what members may run, and invite others. Printing it shows a
// placeholder for the secret.
type Invitation struct {
	Secret Secret
	Peers  []peer.AddrInfo
}

// Bounds of a join string. A few members with a few addresses each are enough to
// begin with, and keep it short enough to be pasted.
const (
	MaxInvitedPeers   = 16
	MaxInvitedAddrs   = 16  // for each peer
	maxInvitedAddress = 255 // bytes of a multiaddr
)

// Encode returns the join string. Peers and addresses beyond the bounds are left
// out, the last ones first.
func (inv Invitation) Encode() string {
	b := append([]byte(nil), inv.Secret[:]...)
	peers := inv.Peers[:min(len(inv.Peers), MaxInvitedPeers)]
	b = append(b, byte(len(peers)))
	for _, p := range peers {
		b = appendShort(b, []byte(p.ID))
		addrs := invitedAddrs(p)
		b = append(b, byte(len(addrs)))
		for _, a := range addrs {
			b = appendShort(b, a)
		}
	}
	return joinText.encode(b)
}

// invitedAddrs returns the addresses of p to write down, without the peer ID that
// some end with.
func invitedAddrs(p peer.AddrInfo) (addrs [][]byte) {
	for _, a := range p.Addrs {
		if transport, id := peer.SplitAddr(a); id != "" {
			a = transport
		}
		if b := a.Bytes(); len(b) > 0 && len(b) <= maxInvitedAddress && len(addrs) < MaxInvitedAddrs {
			addrs = append(addrs, b)
		}
	}
	return addrs
}

func appendShort(b, field []byte) []byte { return append(append(b, byte(len(field))), field...) }

// ParseInvitation reads a join string. White space and case do not matter. The
// error is one of [ErrTruncated], [ErrTyped], [ErrTextVersion] and [ErrTextKind],
// wrapped, and shows nothing of the text. Fields that a later version adds at
// the end are skipped.
func ParseInvitation(text string) (Invitation, error) {
	payload, err := joinText.decode(text)
	if err != nil {
		return Invitation{}, err
	}
	inv, err := parseInvitation(payload)
	if err != nil {
		return Invitation{}, fmt.Errorf("%s: %w", joinText.name, err)
	}
	return inv, nil
}

func parseInvitation(b []byte) (Invitation, error) {
	var inv Invitation
	r := shortReader{b: b}
	copy(inv.Secret[:], r.take(KeySize))
	if inv.Secret.IsZero() {
		return Invitation{}, ErrTyped
	}
	peers := r.count(MaxInvitedPeers)
	for range peers {
		id, err := peer.IDFromBytes(r.take(r.count(maxPeerID)))
		if err != nil {
			return Invitation{}, fmt.Errorf("%w (peer ID: %v)", ErrTyped, err)
		}
		info := peer.AddrInfo{ID: id}
		for range r.count(MaxInvitedAddrs) {
			a, err := ma.NewMultiaddrBytes(r.take(r.count(maxInvitedAddress)))
			if err != nil {
				return Invitation{}, fmt.Errorf("%w (address: %v)", ErrTyped, err)
			}
			info.Addrs = append(info.Addrs, a)
		}
		inv.Peers = append(inv.Peers, info)
	}
	if r.short {
		return Invitation{}, fmt.Errorf("%w (a field is missing)", ErrTyped)
	}
	return inv, nil
}

// shortReader reads fields with a length byte before them. Once something is
// missing or too long, short is set and nothing more comes.
type shortReader struct {
	b     []byte
	short bool
}

func (r *shortReader) take(n int) []byte {
	if n > len(r.b) {
		r.b, r.short = nil, true
		return nil
	}
	field := r.b[:n]
	r.b = r.b[n:]
	return field
}

func (r *shortReader) count(most int) int {
	b := r.take(1)
	switch {
	case b == nil:
		return 0
	case int(b[0]) > most:
		r.b, r.short = nil, true
		return 0
	}
	return int(b[0])
}

// String shows the peers and a placeholder for the secret.
func (inv Invitation) String() string {
	return fmt.Sprintf("invitation{%s, %d peers}", redactedSecret, len(inv.Peers))
}
