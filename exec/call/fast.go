package call

import (
	"encoding/binary"
	"math"
	"reflect"

	"github.com/vmihailenco/msgpack/v5/msgpcode"
)

// Codecs of what needs neither an encoder nor a plan.

func scalarCodec[T any]() (Codec[T], bool) {
	var c any
	switch any(*new(T)).(type) {
	case []byte:
		c = bytesCodec{}
	case string:
		c = stringCodec{}
	case int:
		c = intCodec[int]{}
	case int64:
		c = intCodec[int64]{}
	case int32:
		c = intCodec[int32]{}
	case uint64:
		c = uintCodec[uint64]{}
	case float64:
		c = floatCodec{}
	case struct{}:
		c = emptyCodec{}
	}
	codec, ok := c.(Codec[T])
	return codec, ok
}

// scalar decodes what decode reads as a whole value.
func scalar[T any](b []byte, decode func(*decoder) (T, error)) (v T, err error) {
	if len(b) > MaxValue {
		return v, tooLarge("%d bytes, more than %d", len(b), MaxValue)
	}
	d := decoder{b: b}
	if v, err = decode(&d); err != nil {
		return v, err
	}
	return v, d.end()
}

type bytesCodec struct{}

func (bytesCodec) Append(b []byte, v []byte) ([]byte, error) {
	switch n := len(v); {
	case n > MaxValue-5:
		return b, tooLarge("%d bytes, more than %d", n, MaxValue-5)
	case v == nil:
		return append(b, msgpcode.Nil), nil
	case n <= math.MaxUint8:
		b = append(b, msgpcode.Bin8, byte(n))
	case n <= math.MaxUint16:
		b = binary.BigEndian.AppendUint16(append(b, msgpcode.Bin16), uint16(n))
	default:
		b = binary.BigEndian.AppendUint32(append(b, msgpcode.Bin32), uint32(n))
	}
	return append(b, v...), nil
}

func (bytesCodec) Decode(b []byte) ([]byte, error) {
	return scalar(b, func(d *decoder) ([]byte, error) {
		s, err := d.octets("a string of bytes")
		if s == nil {
			return nil, err
		}
		return append(make([]byte, 0, len(s)), s...), err
	})
}

type stringCodec struct{}

func (stringCodec) Append(b []byte, v string) ([]byte, error) {
	switch n := len(v); {
	case n > MaxValue-5:
		return b, tooLarge("%d bytes, more than %d", n, MaxValue-5)
	case n < 32:
		b = append(b, msgpcode.FixedStrLow|byte(n))
	case n <= math.MaxUint8:
		b = append(b, msgpcode.Str8, byte(n))
	case n <= math.MaxUint16:
		b = binary.BigEndian.AppendUint16(append(b, msgpcode.Str16), uint16(n))
	default:
		b = binary.BigEndian.AppendUint32(append(b, msgpcode.Str32), uint32(n))
	}
	return append(b, v...), nil
}

func (stringCodec) Decode(b []byte) (string, error) {
	return scalar(b, func(d *decoder) (string, error) {
		s, err := d.octets("a string")
		return string(s), err
	})
}

type intCodec[T int | int32 | int64] struct{}

func (intCodec[T]) Append(b []byte, v T) ([]byte, error) { return appendInt(b, int64(v)), nil }

func (intCodec[T]) Decode(b []byte) (T, error) {
	return scalar(b, func(d *decoder) (T, error) {
		n, err := d.integer()
		v := T(n.bits)
		if err == nil && (uint64(int64(v)) != n.bits || (v < 0) != n.negative) {
			return 0, n.tooBig(reflect.TypeFor[T]().String())
		}
		return v, err
	})
}

type uintCodec[T uint64] struct{}

func (uintCodec[T]) Append(b []byte, v T) ([]byte, error) { return appendUint(b, uint64(v)), nil }

func (uintCodec[T]) Decode(b []byte) (T, error) {
	return scalar(b, func(d *decoder) (T, error) {
		n, err := d.integer()
		if err == nil && n.negative {
			return 0, n.tooBig(reflect.TypeFor[T]().String())
		}
		return T(n.bits), err
	})
}

type floatCodec struct{}

func (floatCodec) Append(b []byte, v float64) ([]byte, error) {
	return binary.BigEndian.AppendUint64(append(b, msgpcode.Double), math.Float64bits(v)), nil
}

func (floatCodec) Decode(b []byte) (float64, error) {
	return scalar(b, (*decoder).float64)
}

type emptyCodec struct{}

func (emptyCodec) Append(b []byte, _ struct{}) ([]byte, error) {
	return append(b, msgpcode.FixedMapLow), nil
}

func (emptyCodec) Decode(b []byte) (v struct{}, err error) {
	return scalar(b, func(d *decoder) (struct{}, error) {
		n, _, err := d.enter(isMap)
		for i := 0; i < n && err == nil; i++ {
			err = d.skip()
		}
		return struct{}{}, err
	})
}

// appendInt and appendUint write an integer as shortly as it can be.
func appendInt(b []byte, v int64) []byte {
	switch {
	case v >= 0:
		return appendUint(b, uint64(v))
	case v >= -32:
		return append(b, byte(v))
	case v >= math.MinInt8:
		return append(b, msgpcode.Int8, byte(v))
	case v >= math.MinInt16:
		return binary.BigEndian.AppendUint16(append(b, msgpcode.Int16), uint16(v))
	case v >= math.MinInt32:
		return binary.BigEndian.AppendUint32(append(b, msgpcode.Int32), uint32(v))
	}
	return binary.BigEndian.AppendUint64(append(b, msgpcode.Int64), uint64(v))
}

func appendUint(b []byte, v uint64) []byte {
	switch {
	case v <= math.MaxInt8:
		return append(b, byte(v))
	case v <= math.MaxUint8:
		return append(b, msgpcode.Uint8, byte(v))
	case v <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(b, msgpcode.Uint16), uint16(v))
	case v <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(b, msgpcode.Uint32), uint32(v))
	}
	return binary.BigEndian.AppendUint64(append(b, msgpcode.Uint64), v)
}
