package wire

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"time"
	"unicode/utf8"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/steal/core"
)

// A coder writes or reads values, one record at a time. The first error sticks: all that
// is read after it is zero. It is not safe for concurrent use.
type coder struct {
	reading bool
	err     error
	extra   int           // fields of this record behind those that are known
	peers   []core.PeerID // of this record, in the order of their first appearance

	enc *msgpack.Encoder
	out []byte

	dec   *msgpack.Decoder
	in    bytes.Reader
	buf   []byte            // the record
	arena []byte            // what byte strings of the record are copied to
	names map[string]string // interned
}

func (c *coder) Write(p []byte) (int, error) {
	c.out = append(c.out, p...)
	return len(p), nil
}

func (c *coder) WriteByte(b byte) error {
	c.out = append(c.out, b)
	return nil
}

// fail keeps the first error.
func (c *coder) fail(err error) {
	if c.err == nil && err != nil {
		c.err = err
	}
}

func (c *coder) failf(format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf("wire: "+format, args...)
	}
}

// pos is how much of the record has been read.
func (c *coder) pos() int { return len(c.buf) - c.in.Len() }

// next is the first byte of what comes next; 0xc1, which is never used, at the end.
func (c *coder) next() byte {
	if c.err != nil || c.in.Len() == 0 {
		return 0xc1
	}
	return c.buf[c.pos()]
}

// open begins a struct of n fields, and close ends it. What a newer peer has added at
// the end is skipped.
func (c *coder) open(n int) (extra int) {
	if !c.reading {
		c.fail(c.enc.EncodeArrayLen(n))
		return 0
	}
	has := c.length(math.MaxInt, 1)
	if has < n {
		c.failf("%d fields where %d were expected", has, n)
	}
	return has - n
}

func (c *coder) close(extra int) {
	for ; c.reading && extra > 0 && c.err == nil; extra-- {
		c.fail(c.dec.Skip())
	}
}

// length reads the length of an array whose elements take at least so many bytes each.
func (c *coder) length(most, each int) int {
	if b := c.next(); b>>4 != 9 && b != 0xdc && b != 0xdd {
		c.failf("no array where one was expected")
		return 0
	}
	n, err := c.dec.DecodeArrayLen()
	c.fail(err)
	if n > most || n*each > c.in.Len() {
		c.failf("a list of %d: too long", n)
	}
	if c.err != nil {
		return 0
	}
	return n
}

// list writes or reads a slice; each element takes at least so many bytes.
func list[T any](c *coder, s *[]T, most, each int, element func(*coder, *T)) {
	if c.reading {
		n := c.length(most, each)
		if n == 0 {
			*s = nil
			return
		}
		*s = make([]T, n)
	} else {
		if len(*s) > most {
			c.failf("a list of %d %T: at most %d", len(*s), *s, most)
			return
		}
		c.fail(c.enc.EncodeArrayLen(len(*s)))
	}
	for k := range *s {
		if c.err != nil {
			return
		}
		element(c, &(*s)[k])
	}
}

func (c *coder) u64(v *uint64) {
	if !c.reading {
		c.fail(c.enc.EncodeUint(*v))
		return
	}
	*v = c.uint(math.MaxUint64)
}

// uint reads a number that must not be greater than most. The library by itself would take
// negative and floating numbers, too, and cut them.
func (c *coder) uint(most uint64) uint64 {
	if b := c.next(); b > 0x7f && (b < 0xcc || b > 0xcf) {
		c.failf("no unsigned number where one was expected")
		return 0
	}
	n, err := c.dec.DecodeUint64()
	c.fail(err)
	if n > most {
		c.failf("the number %d: at most %d", n, most)
	}
	if c.err != nil {
		return 0
	}
	return n
}

func (c *coder) i64(v *int64) {
	if !c.reading {
		c.fail(c.enc.EncodeInt(*v))
		return
	}
	switch b := c.next(); {
	case b <= 0x7f || b >= 0xe0 || b >= 0xcc && b <= 0xce || b >= 0xd0 && b <= 0xd3:
		n, err := c.dec.DecodeInt64()
		c.fail(err)
		if err == nil {
			*v = n
		}
	case b == 0xcf:
		*v = int64(c.uint(math.MaxInt64))
	default:
		c.failf("no number where one was expected")
	}
}

func (c *coder) u32(v *uint32) {
	if !c.reading {
		c.fail(c.enc.EncodeUint(uint64(*v)))
		return
	}
	*v = uint32(c.uint(math.MaxUint32))
}

func (c *coder) u8(v *uint8) {
	if !c.reading {
		c.fail(c.enc.EncodeUint(uint64(*v)))
		return
	}
	*v = uint8(c.uint(math.MaxUint8))
}

// between writes or reads a number of a smaller type.
func (c *coder) between(v, lo, hi int64) int64 {
	c.i64(&v)
	if v < lo || v > hi {
		c.failf("the number %d: from %d to %d", v, lo, hi)
		return 0
	}
	return v
}

func (c *coder) i32(v *int32) { *v = int32(c.between(int64(*v), math.MinInt32, math.MaxInt32)) }
func (c *coder) i8(v *int8)   { *v = int8(c.between(int64(*v), math.MinInt8, math.MaxInt8)) }
func (c *coder) int(v *int)   { *v = int(c.between(int64(*v), math.MinInt32, math.MaxInt32)) }

func (c *coder) duration(v *time.Duration) {
	n := int64(*v)
	c.i64(&n)
	*v = time.Duration(n)
}

func (c *coder) bool(v *bool) {
	if !c.reading {
		c.fail(c.enc.EncodeBool(*v))
		return
	}
	if b := c.next(); b != 0xc2 && b != 0xc3 {
		c.failf("no truth value where one was expected")
		return
	}
	b, err := c.dec.DecodeBool()
	c.fail(err)
	*v = b
}

// span reads a byte string or text without copying it.
func (c *coder) raw(most int) []byte {
	b := c.next()
	if !(b>>5 == 5 || b >= 0xd9 && b <= 0xdb || b >= 0xc4 && b <= 0xc6) {
		c.failf("no bytes where some were expected")
		return nil
	}
	n, err := c.dec.DecodeBytesLen()
	c.fail(err)
	if n > most || n > c.in.Len() {
		c.failf("%d bytes: at most %d", n, most)
	}
	if c.err != nil {
		return nil
	}
	at := c.pos()
	if _, err := c.in.Seek(int64(n), io.SeekCurrent); err != nil {
		c.fail(err)
		return nil
	}
	return c.buf[at : at+n]
}

// text is for people, or a path; when it is too long it is cut.
func (c *coder) text(s *string, most int) {
	if c.reading {
		*s = string(c.raw(most))
		return
	}
	t := *s
	if len(t) > most {
		for t = t[:most]; len(t) > 0 && !utf8.ValidString(t[max(0, len(t)-4):]); {
			t = t[:len(t)-1]
			if most-len(t) > 4 {
				break
			}
		}
	}
	c.fail(c.enc.EncodeString(t))
}

// name is a short string of which there are few different ones.
func (c *coder) name(s *string) {
	if c.reading {
		*s = c.interned(c.raw(maxName))
		return
	}
	if len(*s) > maxName {
		c.failf("a name of %d bytes: at most %d", len(*s), maxName)
		return
	}
	c.fail(c.enc.EncodeString(*s))
}

func (c *coder) interned(b []byte) string {
	if s, ok := c.names[string(b)]; ok {
		return s
	}
	if len(c.names) >= maxNames {
		clear(c.names)
	}
	s := string(b)
	c.names[s] = s
	return s
}

func (c *coder) kind(k *task.Kind) { s := string(*k); c.name(&s); *k = task.Kind(s) }

// peer is written whole at its first appearance, afterwards as the number of it.
func (c *coder) peer(p *core.PeerID) {
	if !c.reading {
		for k := len(c.peers) - 1; k >= max(0, len(c.peers)-maxBack); k-- {
			if c.peers[k] == *p {
				c.fail(c.enc.EncodeUint(uint64(k)))
				return
			}
		}
		c.peers = append(c.peers, *p)
		s := string(*p)
		c.name(&s)
		return
	}
	if b := c.next(); b <= 0x7f || b >= 0xcc && b <= 0xcf {
		k := c.uint(math.MaxUint32)
		if c.err == nil && k >= uint64(len(c.peers)) {
			c.failf("peer %d of %d", k, len(c.peers))
		}
		if c.err == nil {
			*p = c.peers[k]
		}
		return
	}
	var s string
	c.name(&s)
	*p = core.PeerID(s)
	c.peers = append(c.peers, *p)
}

// bytes are copied out of the record. nil stays nil.
func (c *coder) bytes(b *[]byte, most int) {
	if !c.reading {
		if len(*b) > most {
			c.failf("%d bytes: at most %d", len(*b), most)
			return
		}
		c.fail(c.enc.EncodeBytes(*b))
		return
	}
	if c.next() == 0xc0 {
		c.fail(c.dec.DecodeNil())
		*b = nil
		return
	}
	raw := c.raw(most)
	if c.err != nil {
		*b = nil
		return
	}
	if c.arena == nil { // one allocation for all of them
		c.arena = make([]byte, 0, len(raw)+c.in.Len())
	}
	at := len(c.arena)
	c.arena = append(c.arena, raw...)
	*b = c.arena[at:len(c.arena):len(c.arena)]
}

// value is one of many byte strings.
func (c *coder) value(b *[]byte) { c.bytes(b, MaxData) }

func (c *coder) fixed(b []byte) {
	if !c.reading {
		c.fail(c.enc.EncodeBytes(b))
		return
	}
	if raw := c.raw(len(b)); len(raw) == len(b) {
		copy(b, raw)
	} else {
		c.failf("%d bytes where %d were expected", len(raw), len(b))
	}
}
