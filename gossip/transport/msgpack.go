package transport

import (
	"encoding/binary"
	"errors"
)

// errMsgpack says that bytes are not the msgpack that was expected. There is one for all
// cases: who sends such things learns nothing, and who writes them has a test.
var errMsgpack = errors.New("malformed msgpack")

// maxDepth is how deep msgpack may nest. memberlist's and Serf's messages need four.
const maxDepth = 8

type kind byte

const (
	kindNil kind = iota
	kindBool
	kindInt
	kindFloat
	kindText // strings, and bytes in both of msgpack's spellings
	kindArray
	kindMap
)

// A token is a value without what is inside it, if it is an array or a map.
type token struct {
	kind  kind
	count uint32 // arrays: elements; maps: pairs
	num   uint64 // kindInt: the value, or negative; kindBool: 1 for true
	text  []byte // kindText: shares the input's memory
}

// negative stands for every negative number: none is expected anywhere, and this is above
// every bound.
const negative = 1<<64 - 1

// A cursor reads msgpack and never looks beyond its bytes. It decodes nothing into memory
// of its own, so a declared length costs nothing until the bytes are there.
type cursor struct {
	b []byte
}

// next reads one token. Extension types are not ours, and refused. A count can not be
// larger than the bytes that remain, since each element takes at least one.
func (c *cursor) next() (t token, err error) {
	if len(c.b) == 0 {
		return t, errMsgpack
	}
	code := c.b[0]
	c.b = c.b[1:]
	var n uint64
	switch {
	case code <= 0x7f: // small integers
		return token{kind: kindInt, num: uint64(code)}, nil
	case code <= 0x8f:
		return c.container(kindMap, uint64(code&0x0f))
	case code <= 0x9f:
		return c.container(kindArray, uint64(code&0x0f))
	case code <= 0xbf:
		return c.bytes(uint64(code & 0x1f))
	case code >= 0xe0: // small negative integers
		return token{kind: kindInt, num: negative}, nil
	}
	switch code {
	case 0xc0:
		return token{kind: kindNil}, nil
	case 0xc2, 0xc3:
		return token{kind: kindBool, num: uint64(code & 1)}, nil
	case 0xca, 0xcb: // floats of 4 and 8 bytes
		_, err = c.number(4 << (code - 0xca))
		return token{kind: kindFloat}, err
	case 0xcc, 0xcd, 0xce, 0xcf: // unsigned, 1 to 8 bytes
		n, err = c.number(1 << (code - 0xcc))
		return token{kind: kindInt, num: n}, err
	case 0xd0, 0xd1, 0xd2, 0xd3: // signed, 1 to 8 bytes
		size := 1 << (code - 0xd0)
		n, err = c.number(size)
		if n>>(8*size-1) != 0 {
			n = negative
		}
		return token{kind: kindInt, num: n}, err
	case 0xc4, 0xc5, 0xc6:
		if n, err = c.number(1 << (code - 0xc4)); err == nil {
			return c.bytes(n)
		}
	case 0xd9, 0xda, 0xdb:
		if n, err = c.number(1 << (code - 0xd9)); err == nil {
			return c.bytes(n)
		}
	case 0xdc, 0xdd:
		if n, err = c.number(2 << (code - 0xdc)); err == nil {
			return c.container(kindArray, n)
		}
	case 0xde, 0xdf:
		if n, err = c.number(2 << (code - 0xde)); err == nil {
			return c.container(kindMap, n)
		}
	}
	return t, errMsgpack
}

func (c *cursor) number(size int) (uint64, error) {
	if len(c.b) < size {
		return 0, errMsgpack
	}
	var full [8]byte
	copy(full[8-size:], c.b[:size])
	c.b = c.b[size:]
	return binary.BigEndian.Uint64(full[:]), nil
}

func (c *cursor) bytes(n uint64) (token, error) {
	if n > uint64(len(c.b)) {
		return token{}, errMsgpack
	}
	t := token{kind: kindText, text: c.b[:n]}
	c.b = c.b[n:]
	return t, nil
}

func (c *cursor) container(k kind, count uint64) (token, error) {
	least := count
	if k == kindMap {
		least *= 2
	}
	if least > uint64(len(c.b)) {
		return token{}, errMsgpack
	}
	return token{kind: k, count: uint32(count)}, nil
}

// skip passes over what is inside t.
func (c *cursor) skip(t token) error {
	var open [maxDepth]uint64 // values still to come in each open container
	depth := 0
	enter := func(t token) error {
		var n uint64
		switch t.kind {
		case kindArray:
			n = uint64(t.count)
		case kindMap:
			n = 2 * uint64(t.count)
		}
		if n == 0 {
			return nil
		}
		if depth == maxDepth {
			return errMsgpack
		}
		open[depth] = n
		depth++
		return nil
	}
	if err := enter(t); err != nil {
		return err
	}
	for depth > 0 {
		if open[depth-1] == 0 {
			depth--
			continue
		}
		open[depth-1]--
		t, err := c.next()
		if err != nil {
			return err
		}
		if err := enter(t); err != nil {
			return err
		}
	}
	return nil
}

// fields reads a map with short strings as keys and calls f with each key and the token
// after it. f may read on from the cursor, to the end of the value; otherwise, if it
// returns false, the rest of the value is skipped.
func (c *cursor) fields(f func(key string, t token) (read bool, err error)) error {
	m, err := c.next()
	if err != nil {
		return err
	}
	if m.kind != kindMap || m.count > maxFields {
		return errMsgpack
	}
	for range m.count {
		key, err := c.next()
		if err != nil {
			return err
		}
		if key.kind != kindText || len(key.text) > maxFieldName {
			return errMsgpack
		}
		t, err := c.next()
		if err != nil {
			return err
		}
		read, err := f(string(key.text), t)
		if err != nil {
			return err
		}
		if !read {
			if err := c.skip(t); err != nil {
				return err
			}
		}
	}
	return nil
}

// What one of memberlist's or Serf's structures may have: more than there are.
const (
	maxFields    = 16
	maxFieldName = 32
)
