package transport

import (
	"encoding/binary"

	"github.com/hashicorp/memberlist"
	"github.com/libp2p/go-libp2p/core/peer"
)

// Remind tells a member which tags are known of it that are later than those it
// announces. memberlist does not: it forgets the tags of who has been gone for a while.
// The packet is an announcement of that member, of the lowest incarnation there is, so
// that it changes nothing at memberlist, which asks the member about it all the same.
// versions are the six that memberlist and Serf announce. It may be called concurrently.
func (t *Transport) Remind(to peer.ID, meta []byte, versions [6]byte) error {
	name := to.String()
	b := []byte{typeAlive, 0x80 | 6}
	b = append(appendKey(b, "Incarnation"), 0)
	b = appendRaw(appendKey(b, "Node"), []byte(name))
	b = appendRaw(appendKey(b, "Addr"), IP(to))
	b = binary.BigEndian.AppendUint16(append(appendKey(b, "Port"), 0xcd), Port)
	b = appendRaw(appendKey(b, "Meta"), meta)
	b = appendRaw(appendKey(b, "Vsn"), versions[:])
	_, err := t.WriteToAddress(b, memberlist.Address{Name: name})
	return err
}

func appendKey(b []byte, key string) []byte {
	return append(append(b, 0xa0|byte(len(key))), key...)
}

// appendRaw writes bytes in the old form of msgpack, which memberlist uses.
func appendRaw(b, value []byte) []byte {
	return append(binary.BigEndian.AppendUint16(append(b, 0xda), uint16(len(value))), value...)
}
