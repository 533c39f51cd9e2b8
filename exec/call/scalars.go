package call

import (
	"encoding/binary"
	"errors"
	"math"
	"reflect"
	"time"
)

// number is an integer of the encoding: negative says that bits is in two's complement and below zero.
type number struct {
	bits     uint64
	negative bool
}

// integer reads an integer; a nil is 0.
func (d *decoder) integer() (n number, err error) {
	h, body, err := d.take()
	if err != nil {
		return n, err
	}
	switch h.kind {
	case isNil:
		return n, nil
	case isUint, isInt:
		return numberOf(h.kind, body), nil
	}
	return n, wrongType("%v where an integer is needed", h.kind)
}

func numberOf(k kind, body []byte) (n number) {
	for _, c := range body {
		n.bits = n.bits<<8 | uint64(c)
	}
	if k == isInt {
		shift := 64 - 8*len(body)
		n.bits = uint64(int64(n.bits<<shift) >> shift)
		n.negative = int64(n.bits) < 0
	}
	return n
}

func (n number) tooBig(name string) error {
	if n.negative {
		return wrongType("the number %d does not fit into %s", int64(n.bits), name)
	}
	return wrongType("the number %d does not fit into %s", n.bits, name)
}

func decodeInt(d *decoder, v reflect.Value) error {
	n, err := d.integer()
	if err != nil {
		return err
	}
	if !n.negative && n.bits > math.MaxInt64 || v.OverflowInt(int64(n.bits)) {
		return n.tooBig(v.Type().String())
	}
	v.SetInt(int64(n.bits))
	return nil
}

func decodeUint(d *decoder, v reflect.Value) error {
	n, err := d.integer()
	if err != nil {
		return err
	}
	if n.negative || v.OverflowUint(n.bits) {
		return n.tooBig(v.Type().String())
	}
	v.SetUint(n.bits)
	return nil
}

func decodeFloat(d *decoder, v reflect.Value) error {
	if v.Kind() == reflect.Float32 {
		f, err := d.float32()
		v.SetFloat(float64(f))
		return err
	}
	f, err := d.float64()
	v.SetFloat(f)
	return err
}

// float64 takes integers, too, which other writers send for whole numbers, as long as nothing is lost.
func (d *decoder) float64() (float64, error) {
	h, body, err := d.take()
	if err != nil {
		return 0, err
	}
	if h.kind == isFloat64 {
		return math.Float64frombits(binary.BigEndian.Uint64(body)), nil
	}
	return float(h.kind, body, 1<<53, "float64")
}

func (d *decoder) float32() (float32, error) {
	h, body, err := d.take()
	if err != nil {
		return 0, err
	}
	f, err := float(h.kind, body, 1<<24, "float32")
	return float32(f), err
}

// float reads a number that a float type holds exactly; so it does whole ones up to exact.
func float(k kind, body []byte, exact int64, name string) (float64, error) {
	switch k {
	case isNil:
		return 0, nil
	case isFloat32:
		return float64(math.Float32frombits(binary.BigEndian.Uint32(body))), nil
	case isUint, isInt:
		n := numberOf(k, body)
		if !n.negative && n.bits > uint64(exact) || n.negative && int64(n.bits) < -exact {
			return 0, n.tooBig(name)
		}
		return float64(int64(n.bits)), nil
	}
	return 0, wrongType("%v where a %s is needed", k, name)
}

func decodeBool(d *decoder, v reflect.Value) error {
	h, body, err := d.take()
	switch {
	case err != nil:
		return err
	case h.kind == isBool:
		v.SetBool(body[0] == 0xc3)
	case h.kind != isNil:
		return wrongType("%v where a bool is needed", h.kind)
	}
	return nil
}

// octets reads a string or bytes, which older writers do not tell apart; nil for a nil. They lie in d.b.
func (d *decoder) octets(want string) ([]byte, error) {
	h, body, err := d.take()
	switch {
	case err != nil:
		return nil, err
	case h.kind == isString || h.kind == isBytes:
		return body[:len(body):len(body)], nil
	case h.kind == isNil:
		return nil, nil
	}
	return nil, wrongType("%v where %s is needed", h.kind, want)
}

func decodeString(d *decoder, v reflect.Value) error {
	s, err := d.octets("a string")
	if err == nil {
		v.SetString(string(s))
	}
	return err
}

func decodeBytes(d *decoder, v reflect.Value) error {
	s, err := d.octets("a string of bytes")
	if err == nil && s != nil {
		v.SetBytes(append(make([]byte, 0, len(s)), s...))
	}
	return err
}

func decodeByteArray(d *decoder, v reflect.Value) error {
	s, err := d.octets("a string of bytes")
	if err != nil {
		return err
	}
	if len(s) > v.Len() {
		return wrongType("%d bytes where %s has room for %d", len(s), v.Type(), v.Len())
	}
	copy(v.Slice(0, len(s)).Bytes(), s)
	return nil
}

func decodeError(d *decoder, v reflect.Value) error {
	s, err := d.octets("the text of an error")
	if err == nil && s != nil {
		v.Set(reflect.ValueOf(errors.New(string(s))))
	}
	return err
}

func decodeTime(d *decoder, v reflect.Value) error {
	h, body, err := d.take()
	if err != nil {
		return err
	}
	switch h.kind {
	case isNil:
		return nil
	case isExt:
		t, err := timeOf(body)
		if err == nil {
			*v.Addr().Interface().(*time.Time) = t
		}
		return err
	}
	return wrongType("%v where a time is needed", h.kind)
}

// timeExtension is the one extension that a value may hold: MessagePack's own.
const timeExtension = -1

// timeOf reads a time from the body of an extension, its type in front.
func timeOf(body []byte) (t time.Time, err error) {
	if int8(body[0]) != timeExtension {
		return t, wrongType("an extension of type %d; only times (-1) are known", int8(body[0]))
	}
	body = body[1:]
	var seconds int64
	var nanos uint64
	switch len(body) {
	case 4:
		seconds = int64(binary.BigEndian.Uint32(body))
	case 8:
		both := binary.BigEndian.Uint64(body)
		seconds, nanos = int64(both&(1<<34-1)), both>>34
	case 12:
		seconds, nanos = int64(binary.BigEndian.Uint64(body[4:])), uint64(binary.BigEndian.Uint32(body))
	default:
		return t, malformed("a time that is neither 4, 8 nor 12 bytes long")
	}
	if nanos >= 1e9 {
		return t, malformed("a time with a second or more of nanoseconds")
	}
	return time.Unix(seconds, int64(nanos)).UTC(), nil
}
