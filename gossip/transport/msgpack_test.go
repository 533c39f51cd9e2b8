package transport

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// The walk must refuse what kills decoders, whatever is around it.
func TestMsgpackThatKillsDecodersIsRefused(t *testing.T) {
	deep := bytes.Repeat([]byte{0x91}, 1000)
	for name, b := range map[string][]byte{
		"an array of 2³¹ in five bytes": {0xdd, 0x7f, 0xff, 0xff, 0xff},
		"a map of 2³² in five bytes":    {0xdf, 0xff, 0xff, 0xff, 0xff},
		"a text of 4 GB":                {0xdb, 0xff, 0xff, 0xff, 0xff, 'x'},
		"bytes of 64 KB":                {0xc5, 0xff, 0xff, 'x'},
		"a thousand nested arrays":      append(deep, 0xc0),
		"an extension":                  {0xd4, 0x01, 0x00},
		"a type that does not exist":    {0xc1},
		"nothing":                       {},
		"an integer that is cut off":    {0xcf, 1, 2, 3},
	} {
		c := cursor{b}
		tok, err := c.next()
		if err == nil {
			err = c.skip(tok)
		}
		if err == nil {
			t.Errorf("%s passes", name)
		}
	}
}

func TestMsgpackNumbers(t *testing.T) {
	for _, tc := range []struct {
		b    []byte
		want uint64
	}{
		{[]byte{0x05}, 5}, {[]byte{0xcc, 200}, 200}, {[]byte{0xcd, 1, 0}, 256},
		{[]byte{0xd1, 0, 0xb5}, 181}, // Go's int, as go-msgpack writes it
		{[]byte{0xd0, 0xff}, negative}, {[]byte{0xff}, negative},
		{append([]byte{0xd3}, binary.BigEndian.AppendUint64(nil, 1<<40)...), 1 << 40},
		{[]byte{0xc3}, 1}, {[]byte{0xc2}, 0},
	} {
		c := cursor{tc.b}
		tok, err := c.next()
		if err != nil || tok.num != tc.want || len(c.b) != 0 {
			t.Errorf("% x: %d, %v, %d bytes left; want %d", tc.b, tok.num, err, len(c.b), tc.want)
		}
	}
}

func FuzzCheckPacket(f *testing.F) {
	f.Add(message(typePing, field("SeqNo", uint(1)), field("Node", "n"), field("SourceNode", "s")))
	f.Add(message(typeAlive, field("Incarnation", uint(1)), field("Node", "n"), field("Meta", "m")))
	f.Add(compound(message(typeSuspect, field("Node", "n")), message(typeNack, field("SeqNo", uint(1)))))
	f.Fuzz(func(t *testing.T, b []byte) {
		var s seen
		if checkPacket(b, &s) != nil {
			return
		}
		if len(s.passing) > len(b) {
			t.Errorf("%d messages in %d bytes", len(s.passing), len(b))
		}
	})
}

func FuzzCheckFrame(f *testing.F) {
	f.Add(state(1, nil, message(serfPushPull, field("LTime", uint(1)))))
	f.Add(message(typePing, field("SeqNo", uint(1))))
	f.Fuzz(func(t *testing.T, b []byte) {
		var s seen
		if checkFrame(b, &s) == nil && len(s.passing) > len(b) {
			t.Errorf("%d messages in %d bytes", len(s.passing), len(b))
		}
	})
}
