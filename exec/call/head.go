package call

import (
	"encoding/binary"
	"math"
)

// A head is the beginning of a MessagePack value: n bytes, behind which skip bytes belong to it and then come elements values.
// n is 0 for what is cut off, and for what no value begins with.
type head struct {
	kind     kind
	n        int
	skip     int
	elements int // of an array; of a map keys and values
}

type kind uint8

const (
	isNil kind = iota
	isBool
	isInt // negative ones in two's complement
	isUint
	isFloat32
	isFloat64
	isString
	isBytes
	isArray
	isMap
	isExt // skip counts the byte of the type
)

func (k kind) String() string {
	return [...]string{"nothing", "a bool", "a number", "a number", "a float32", "a float64", "a string", "bytes", "an array", "a map", "an extension"}[k]
}

// headOf reads the beginning of b.
func headOf(b []byte) head {
	if len(b) == 0 {
		return head{}
	}
	switch c := b[0]; {
	case c <= 0x7f:
		return head{kind: isUint, n: 1}
	case c <= 0x8f:
		return head{kind: isMap, n: 1, elements: 2 * int(c&0xf)}
	case c <= 0x9f:
		return head{kind: isArray, n: 1, elements: int(c & 0xf)}
	case c <= 0xbf:
		return head{kind: isString, n: 1, skip: int(c & 0x1f)}
	case c >= 0xe0:
		return head{kind: isInt, n: 1}
	default:
		return longHead(c, b)
	}
}

// A form is a head whose first byte tells little: size bytes of length follow, or width bytes of the value.
type form struct {
	kind  kind
	size  int
	width int
}

// forms are those of 0xc0 to 0xdf. 0xc1 is not used by anybody.
var forms = [32]form{
	{kind: isNil}, {size: -1}, {kind: isBool}, {kind: isBool},
	{kind: isBytes, size: 1}, {kind: isBytes, size: 2}, {kind: isBytes, size: 4},
	{kind: isExt, size: 1, width: 1}, {kind: isExt, size: 2, width: 1}, {kind: isExt, size: 4, width: 1},
	{kind: isFloat32, width: 4}, {kind: isFloat64, width: 8},
	{kind: isUint, width: 1}, {kind: isUint, width: 2}, {kind: isUint, width: 4}, {kind: isUint, width: 8},
	{kind: isInt, width: 1}, {kind: isInt, width: 2}, {kind: isInt, width: 4}, {kind: isInt, width: 8},
	{kind: isExt, width: 2}, {kind: isExt, width: 3}, {kind: isExt, width: 5}, {kind: isExt, width: 9}, {kind: isExt, width: 17},
	{kind: isString, size: 1}, {kind: isString, size: 2}, {kind: isString, size: 4},
	{kind: isArray, size: 2}, {kind: isArray, size: 4}, {kind: isMap, size: 2}, {kind: isMap, size: 4},
}

func longHead(c byte, b []byte) head {
	f := forms[c-0xc0]
	if f.size < 0 || len(b) < 1+f.size {
		return head{}
	}
	h := head{kind: f.kind, n: 1 + f.size, skip: f.width}
	length := 0
	switch f.size {
	case 0:
		return h
	case 1:
		length = int(b[1])
	case 2:
		length = int(binary.BigEndian.Uint16(b[1:]))
	case 4:
		if length = int(binary.BigEndian.Uint32(b[1:])); length < 0 || length > math.MaxInt32/2 {
			return head{} // beyond MaxValue anyhow, and an int may have 32 bits
		}
	}
	switch f.kind {
	case isArray:
		h.elements = length
	case isMap:
		h.elements = 2 * length
	default:
		h.skip += length
	}
	return h
}
