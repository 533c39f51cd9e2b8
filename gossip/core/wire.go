package core

import (
	"encoding/binary"
	"errors"
)

var errCut = errors.New("core: cut off")

// fields reads a sequence of length-prefixed fields. Every length is checked
// against what is left before anything is read, and nothing is copied, so a frame
// costs at most its own size.
type fields struct {
	rest []byte
	err  error
}

func (f *fields) more() bool { return f.err == nil && len(f.rest) > 0 }

// next returns the next field, which aliases the frame.
func (f *fields) next() []byte {
	n := f.number()
	if f.err != nil {
		return nil
	}
	if n > uint64(len(f.rest)) {
		f.err = errCut
		return nil
	}
	b := f.rest[:n]
	f.rest = f.rest[n:]
	return b
}

// number reads a number. One that is written longer than it is, is refused, so
// that there is one encoding of everything.
func (f *fields) number() uint64 {
	if f.err != nil {
		return 0
	}
	v, n := binary.Uvarint(f.rest)
	if n <= 0 || n > 1 && f.rest[n-1] == 0 {
		f.err = errCut
		return 0
	}
	f.rest = f.rest[n:]
	return v
}

// whole reads a field that is one number.
func (f *fields) whole() uint64 {
	b := f.next()
	if f.err != nil {
		return 0
	}
	inner := fields{rest: b}
	v := inner.number()
	if inner.err != nil || len(inner.rest) > 0 {
		f.err = errCut
	}
	return v
}

// text reads a field of at most most bytes.
func (f *fields) text(what string, most int) string {
	return string(f.bytes(what, most))
}

func (f *fields) bytes(what string, most int) []byte {
	b := f.next()
	if f.err == nil {
		f.err = limit(what, len(b), most)
	}
	if f.err != nil {
		return nil
	}
	return b
}

// list reads a field that holds at most most fields of at most len bytes each.
func (f *fields) list(what string, most, longest int) []string {
	inner := fields{rest: f.next()}
	var all []string
	for f.err == nil && inner.more() {
		f.err = limit(what, len(all)+1, most)
		all = append(all, inner.text(what, longest))
	}
	if f.err == nil {
		f.err = inner.err
	}
	return all
}

func appendField[T ~string | ~[]byte](b []byte, v T) []byte {
	b = binary.AppendUvarint(b, uint64(len(v)))
	return append(b, v...)
}

func appendWhole(b []byte, v uint64) []byte {
	return appendField(b, binary.AppendUvarint(nil, v))
}

func appendList(b []byte, all []string) []byte {
	var inner []byte
	for _, v := range all {
		inner = appendField(inner, v)
	}
	return appendField(b, inner)
}
