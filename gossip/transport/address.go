package transport

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"strconv"

	"github.com/hashicorp/memberlist"
	"github.com/libp2p/go-libp2p/core/peer"
)

// Port is the port of every address that memberlist sees. It means nothing; memberlist
// wants one that is not zero.
const Port = 1

// IP is the address by which memberlist knows a peer: a unique local one (RFC 4193),
// made of the hash of the peer ID. No packet is ever sent to it.
func IP(id peer.ID) net.IP {
	h := sha256.Sum256([]byte(id))
	ip := net.IP(h[:16:16])
	ip[0] = 0xfd
	return ip
}

// Address is how memberlist addresses a peer.
func Address(id peer.ID) memberlist.Address {
	return memberlist.Address{Name: id.String(), Addr: hostPort(id)}
}

// JoinAddress is how memberlist and Serf want a peer to be named when they are to join
// through it.
func JoinAddress(id peer.ID) string { return id.String() + "/" + hostPort(id) }

func hostPort(id peer.ID) string {
	return net.JoinHostPort(IP(id).String(), strconv.Itoa(Port))
}

// PeerOf is the peer that a member's name stands for. Only the one spelling that
// peer.ID.String has is a name, lest one member appear under two.
func PeerOf(name string) (peer.ID, error) {
	if len(name) > maxName {
		return "", fmt.Errorf("a member's name of %d bytes, the most is %d", len(name), maxName)
	}
	id, err := peer.Decode(name)
	if err != nil {
		return "", fmt.Errorf("a member's name is not a peer ID: %w", err)
	}
	if id.String() != name {
		return "", errors.New("a member's name is an unusual spelling of its peer ID")
	}
	return id, nil
}

// maxName is above the length of any peer ID as text.
const maxName = 128

// addr is a net.Addr of a peer, for memberlist's log lines.
type addr string

func (addr) Network() string  { return "filch" }
func (a addr) String() string { return string(a) }
