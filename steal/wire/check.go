package wire

import (
	"encoding/binary"
	"errors"
)

var errMalformed = errors.New("wire: malformed record")

// Check tells what is wrong with b as one msgpack value, before anybody decodes it; see check. It is
// for what travels inside of records and has limits of its own in size.
func Check(b []byte) error { return check(b) }

// check walks over one msgpack value without decoding it. Every length that it declares
// fits into the bytes that are left, nothing is nested deeper than maxDepth, there are no
// extension types and no bytes after it. It allocates nothing.
func check(b []byte) error {
	var left [maxDepth + 1]int // elements that are still to come, per open container
	left[0] = 1
	depth, i := 0, 0
	for {
		for left[depth] == 0 {
			if depth > 0 {
				depth--
				continue
			}
			if i != len(b) {
				return errMalformed
			}
			return nil
		}
		left[depth]--
		skip, elements, n := head(b[i:])
		i += n
		if n == 0 || skip > len(b)-i || elements > len(b)-i {
			return errMalformed
		}
		i += skip
		if elements > 0 {
			if depth++; depth > maxDepth {
				return errMalformed
			}
			left[depth] = elements
		}
	}
}

// head reads a value's first bytes: n of them, after which come skip bytes that belong
// to it and then so many elements. n is 0 for what is cut off or not allowed.
func head(b []byte) (skip, elements, n int) {
	if len(b) == 0 {
		return 0, 0, 0
	}
	switch c := b[0]; {
	case c <= 0x7f || c >= 0xe0 || c == 0xc0 || c == 0xc2 || c == 0xc3: // small number, nil, bool
		return 0, 0, 1
	case c <= 0x8f: // map
		return 0, 2 * int(c&0xf), 1
	case c <= 0x9f: // array
		return 0, int(c & 0xf), 1
	case c <= 0xbf: // string
		return int(c & 0x1f), 0, 1
	case c == 0xc4 || c == 0xd9:
		v, n := length(b, 1)
		return v, 0, n
	case c == 0xc5 || c == 0xda:
		v, n := length(b, 2)
		return v, 0, n
	case c == 0xc6 || c == 0xdb:
		v, n := length(b, 4)
		return v, 0, n
	case c == 0xcc || c == 0xd0:
		return 1, 0, 1
	case c == 0xcd || c == 0xd1:
		return 2, 0, 1
	case c == 0xca || c == 0xce || c == 0xd2:
		return 4, 0, 1
	case c == 0xcb || c == 0xcf || c == 0xd3:
		return 8, 0, 1
	case c == 0xdc || c == 0xde:
		v, n := length(b, 2)
		return 0, v * (1 + int(c&2)/2), n
	case c == 0xdd || c == 0xdf:
		v, n := length(b, 4)
		return 0, v * (1 + int(c&2)/2), n
	}
	return 0, 0, 0 // extension types, 0xc1
}

// length reads a length of so many bytes behind the first.
func length(b []byte, size int) (v, n int) {
	if len(b) < 1+size {
		return 0, 0
	}
	switch size {
	case 1:
		return int(b[1]), 2
	case 2:
		return int(binary.BigEndian.Uint16(b[1:])), 3
	}
	return int(binary.BigEndian.Uint32(b[1:])), 5
}
