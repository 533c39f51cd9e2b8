package call

import (
	"encoding/binary"
	"math"
	"reflect"
)

// decodeAny decodes into an empty interface what the encoding says that it is.
func decodeAny(d *decoder, v reflect.Value) error {
	x, err := d.any()
	if err == nil && x != nil {
		v.Set(reflect.ValueOf(x))
	}
	return err
}

var anySize = int(reflect.TypeFor[any]().Size())

func (d *decoder) any() (any, error) {
	h, err := d.head()
	if err != nil {
		return nil, err
	}
	switch h.kind {
	case isArray:
		return d.anySlice()
	case isMap:
		return d.anyMap()
	}
	h, body, err := d.take()
	if err != nil {
		return nil, err
	}
	switch h.kind {
	case isBool:
		return body[0] == 0xc3, nil
	case isUint, isInt:
		return widthOf(h.kind, body, h.skip), nil
	case isFloat32:
		return math.Float32frombits(binary.BigEndian.Uint32(body)), nil
	case isFloat64:
		return math.Float64frombits(binary.BigEndian.Uint64(body)), nil
	case isString:
		return string(body), nil
	case isBytes:
		return append(make([]byte, 0, len(body)), body...), nil
	case isExt:
		return timeOf(body)
	}
	return nil, nil
}

// widthOf is an integer in the type of its encoding; small ones are int8.
func widthOf(k kind, body []byte, width int) any {
	n := numberOf(k, body).bits
	switch {
	case width == 0:
		return int8(n)
	case k == isUint && width == 1:
		return uint8(n)
	case k == isUint && width == 2:
		return uint16(n)
	case k == isUint && width == 4:
		return uint32(n)
	case k == isUint:
		return n
	case width == 1:
		return int8(n)
	case width == 2:
		return int16(n)
	case width == 4:
		return int32(n)
	}
	return int64(n)
}

func (d *decoder) anySlice() (any, error) {
	n, _, err := d.enter(isArray)
	if err != nil {
		return nil, err
	}
	if err := d.charge(n, anySize); err != nil {
		return nil, err
	}
	all := make([]any, n)
	for i := range all {
		if all[i], err = d.any(); err != nil {
			return nil, under(stepTo(i), err)
		}
	}
	d.depth--
	return all, nil
}

func (d *decoder) anyMap() (any, error) {
	n, _, err := d.enter(isMap)
	if err != nil {
		return nil, err
	}
	n /= 2
	if err := d.charge(1, mapSize+n*(2*anySize+1)); err != nil {
		return nil, err
	}
	all := make(map[string]any, n)
	for range n {
		key, err := d.octets("a string, as key of a map that lies in an any,")
		if err != nil {
			return nil, under("[key]", err)
		}
		k := string(key)
		if all[k], err = d.any(); err != nil {
			return nil, under(quoted(k), err)
		}
	}
	d.depth--
	return all, nil
}
