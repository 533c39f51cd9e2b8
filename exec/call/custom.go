package call

import (
	"bytes"
	"encoding"
	"fmt"
	"reflect"
	"sync"

	"github.com/vmihailenco/msgpack/v5"
)

// customDecoders decode types that read themselves; a nil is their zero value, without asking them.
var customDecoders = [...]func(*decoder, reflect.Value) error{
	byDecoder: func(d *decoder, v reflect.Value) error {
		b, err := d.whole()
		if err != nil || b == nil {
			return err
		}
		return readItself(b, v.Addr().Interface().(msgpack.CustomDecoder))
	},
	byMsgpack: func(d *decoder, v reflect.Value) error {
		b, err := d.whole()
		if err != nil || b == nil {
			return err
		}
		return own(v, v.Addr().Interface().(msgpack.Unmarshaler).UnmarshalMsgpack(bytes.Clone(b)))
	},
	byBinary: func(d *decoder, v reflect.Value) error {
		b, err := d.octets("bytes")
		if err != nil || b == nil {
			return err
		}
		return own(v, v.Addr().Interface().(encoding.BinaryUnmarshaler).UnmarshalBinary(bytes.Clone(b)))
	},
	byText: func(d *decoder, v reflect.Value) error {
		b, err := d.octets("text")
		if err != nil || b == nil {
			return err
		}
		return own(v, v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText(bytes.Clone(b)))
	},
}

// whole passes over one value and returns its bytes; nil for a nil.
func (d *decoder) whole() ([]byte, error) {
	if d.null() {
		return nil, nil
	}
	from := d.at
	err := d.skip()
	return d.b[from:d.at], err
}

// readers are for types with a DecodeMsgpack.
var readers = sync.Pool{New: func() any { return new(reader) }}

type reader struct {
	bytes bytes.Reader
	dec   msgpack.Decoder
}

func readItself(b []byte, to msgpack.CustomDecoder) error {
	r := readers.Get().(*reader)
	r.bytes.Reset(b)
	r.dec.Reset(&r.bytes)
	err := to.DecodeMsgpack(&r.dec)
	left := r.bytes.Len()
	r.bytes.Reset(nil)
	readers.Put(r)
	if err == nil && left > 0 {
		err = fmt.Errorf("it left %d bytes of %d", left, len(b))
	}
	return own(reflect.ValueOf(to).Elem(), err)
}

// own gives the error of a type's own decoder our form.
func own(v reflect.Value, err error) error {
	if err == nil {
		return nil
	}
	return &ValueError{What: fmt.Sprintf("%s cannot read it: %v", v.Type(), err), Err: err}
}
