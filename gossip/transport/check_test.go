package transport

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"testing"
)

// field encodes one entry of a map as go-msgpack does: a text, a number, or as it is.
func field(name string, value any) []byte {
	b := append([]byte{0xa0 | byte(len(name))}, name...)
	switch v := value.(type) {
	case string:
		b = append(b, 0xda, byte(len(v)>>8), byte(len(v)))
		return append(b, v...)
	case uint:
		b = append(b, 0xcf)
		return binary.BigEndian.AppendUint64(b, uint64(v))
	case []byte:
		return append(b, v...)
	}
	panic(fmt.Sprintf("%T", value))
}

// message is a type and a map of the fields.
func message(typ byte, fields ...[]byte) []byte {
	return append([]byte{typ, 0x80 | byte(len(fields))}, bytes.Join(fields, nil)...)
}

func compound(messages ...[]byte) []byte {
	b := []byte{typeCompound, byte(len(messages))}
	for _, m := range messages {
		b = binary.BigEndian.AppendUint16(b, uint16(len(m)))
	}
	return append(b, bytes.Join(messages, nil)...)
}

func withCRC(b []byte) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{typeCRC}, crc32.ChecksumIEEE(b)), b...)
}

// state is a push/pull of so many members, and Serf's part.
func state(members int, one, user []byte) []byte {
	b := message(typePushPull, field("Nodes", uint(members)), field("UserStateLen", uint(len(user))), field("Join", []byte{0xc3}))
	if one == nil {
		one = message(0, field("Name", "n"), field("State", uint(memberAlive)))[1:]
	}
	for range min(members, 10) {
		b = append(b, one...)
	}
	return append(b, user...)
}

func TestWhatMemberlistSendsPasses(t *testing.T) {
	alive := message(typeAlive, field("Incarnation", uint(7)), field("Node", "n"), field("Addr", "a"), field("Port", uint(1)), field("Meta", "m"), field("Vsn", []byte{0xa1, 1}))
	for name, b := range map[string][]byte{
		"ping":     message(typePing, field("SeqNo", uint(1)), field("Node", "n"), field("SourceNode", "s")),
		"ack":      message(typeAck, field("SeqNo", uint(1)), field("Payload", "p")),
		"nack":     message(typeNack, field("SeqNo", uint(1))),
		"alive":    alive,
		"compound": compound(alive, message(typeSuspect, field("Node", "n"), field("From", "f"), field("Incarnation", uint(3)))),
		"with CRC": withCRC(alive),
		"a leave":  append([]byte{typeUser}, message(serfLeave, field("LTime", uint(1)), field("Node", "n"), field("Prune", []byte{0xc2}))...),
	} {
		if err := checkPacket(b, &seen{}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	frame := state(3, nil, message(serfPushPull, field("Events", []byte{0x92, 0xc0, 0xc0}), field("LTime", uint(1))))
	if err := checkFrame(frame, &seen{}); err != nil {
		t.Errorf("a state: %v", err)
	}
}

func TestWhatPassesIsSeen(t *testing.T) {
	var s seen
	packet := compound(
		message(typeSuspect, field("Incarnation", uint(3)), field("Node", "a"), field("From", "b")),
		message(typeAlive, field("Incarnation", uint(4)), field("Node", "a")),
		message(typePing, field("SourceNode", "b")))
	if err := checkPacket(packet, &s); err != nil {
		t.Fatal(err)
	}
	want := []Passing{{Kind: Suspected, Node: "a", From: "b", Incarnation: 3}, {Kind: Alive, Node: "a", Incarnation: 4}}
	if len(s.passing) != 2 || s.passing[0] != want[0] || s.passing[1] != want[1] || s.sender != "b" {
		t.Errorf("saw %+v from %q", s.passing, s.sender)
	}
	s = seen{}
	dead := message(0, field("Name", "d"), field("State", uint(memberDead)), field("Incarnation", uint(9)))[1:]
	if err := checkFrame(state(1, dead, nil), &s); err != nil {
		t.Fatal(err)
	}
	if len(s.passing) != 1 || s.passing[0] != (Passing{Kind: Suspected, Node: "d", Incarnation: 9}) {
		t.Errorf("saw %+v", s.passing)
	}
}

func TestWhatNoMemberSendsIsRefused(t *testing.T) {
	ping := message(typePing, field("SeqNo", uint(1)))
	user := func(typ byte, fields ...[]byte) []byte {
		return append([]byte{typeUser}, message(typ, fields...)...)
	}
	crc := withCRC(ping)
	crc[2] ^= 1
	for name, b := range map[string][]byte{
		"nothing":                      {},
		"compressed":                   message(9, field("Algo", uint(0)), field("Buf", "x")),
		"encrypted within":             append([]byte{10}, make([]byte, 40)...),
		"a state in a packet":          state(1, nil, nil),
		"trailing bytes":               append(bytes.Clone(ping), 0),
		"a compound in a compound":     compound(compound(ping)),
		"a compound that is cut off":   compound(ping, ping)[:8],
		"a compound with a tail":       append(compound(ping), 1),
		"a wrong checksum":             crc,
		"a checksum within a checksum": withCRC(withCRC(ping)),
		"a user event":                 user(3, field("Name", "x")),
		"a query":                      user(4, field("Name", "_serf_install-key")),
		"a relay":                      user(10, field("x", "y")),
		"an intent to prune":           user(serfLeave, field("Node", "n"), field("Prune", []byte{0xc3})),
		"a suspicion beyond all":       message(typeSuspect, field("Incarnation", uint(math.MaxUint32)), field("Node", "n")),
		"a death beyond all":           message(typeDead, field("Incarnation", uint(math.MaxUint32)), field("Node", "n")),
		"an incarnation of 64 bits":    message(typeAlive, field("Incarnation", uint(1<<40)), field("Node", "n")),
		"a name of a kilobyte":         message(typeAlive, field("Node", string(make([]byte, 1000)))),
		"a list in place of a map":     {typePing, 0x91, 0x01},
		"many fields":                  message(typePing, field("a", []byte{0xde, 0, 0}))[:1],
	} {
		if checkPacket(b, &seen{}) == nil {
			t.Errorf("%s passes", name)
		}
	}
	for name, b := range map[string][]byte{
		"more members than a cluster has": state(MaxMembers+1, nil, nil),
		"more members than there are":     state(11, nil, nil),
		"a negative number of members":    append(message(typePushPull, field("Nodes", []byte{0xff})), 0x80),
		"user events":                     state(1, nil, message(serfPushPull, field("Events", []byte{0x91, 0x80}))),
		"events as a map":                 state(1, nil, message(serfPushPull, field("Events", []byte{0x81, 0xc0, 0xc0}))),
		"another type of Serf's":          state(1, nil, message(serfLeave)),
		"a tail":                          append(state(1, nil, nil), 0),
		"a user message":                  message(typeUser, field("UserMsgLen", uint(1<<30))),
		"an alive":                        message(typeAlive, field("Node", "n")),
	} {
		if checkFrame(b, &seen{}) == nil {
			t.Errorf("on a stream, %s passes", name)
		}
	}
}
