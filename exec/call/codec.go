package call

import (
	"fmt"
	"reflect"
	"sync"

	"github.com/vmihailenco/msgpack/v5"
)

// A Codec turns arguments or results of one type into bytes and back. It is safe for concurrent use. A
// function may bring its own.
type Codec[T any] interface {
	// Append appends the encoding of v to b and returns the extended slice; on an error it returns b as it was.
	// v is only read.
	Append(b []byte, v T) ([]byte, error)
	// Decode decodes all of b, which somebody else may have written, and keeps no reference to it.
	Decode(b []byte) (T, error)
}

// MsgPack returns the codec that writes T as MessagePack by the rules of vmihailenco/msgpack: exported
// fields by name or by their msgpack tag, types with EncodeMsgpack and DecodeMsgpack, MarshalMsgpack, MarshalBinary or
// MarshalText by these. Decoding is our own (decode.go says why): it never panics, takes bounded memory (budget.go), and errors
// say where the value does not fit T.
//
// Some values come back changed: a time.Time without its monotonic part and in UTC; empty and nil slices, maps and
// bytes stay apart, but a pointer to a nil one comes back nil; numbers in an any have the width they were sent with, an int the smallest one;
// structs in an any come back as map[string]any. A custom encoder is bounded by the encoding's size only.
//
// It panics with the error of Supported if values of T cannot travel: that is a mistake of the program, found where the
// function is defined.
func MsgPack[T any]() Codec[T] {
	p, err := planOf(reflect.TypeFor[T]())
	if err != nil {
		panic(err)
	}
	if c, ok := scalarCodec[T](); ok {
		return c
	}
	c := &msgPack[T]{plan: p}
	c.holders.New = func() any { return &holder[T]{enc: msgpack.NewEncoder(nil)} }
	return c
}

// Supported tells why values of T cannot travel: a channel, a function, a complex number, a struct that hides all its fields, an
// interface that no decoder can fill, and what else msgpack cannot do. It names the place inside of T.
func Supported[T any]() error {
	_, err := planOf(reflect.TypeFor[T]())
	return err
}

type msgPack[T any] struct {
	plan    *plan
	holders sync.Pool // of *holder[T]
}

// A holder is where a value lies while it is encoded: in memory that its encoder may address, because
// methods with a pointer receiver are not found otherwise.
type holder[T any] struct {
	value T
	sink  sink
	enc   *msgpack.Encoder
}

func (c *msgPack[T]) Append(b []byte, v T) (out []byte, err error) {
	h := c.holders.Get().(*holder[T])
	h.value, h.sink = v, sink{b: b, start: len(b), walk: c.plan.deep}
	defer func() {
		if p := recover(); p != nil {
			out, err = b, &ValueError{What: fmt.Sprintf("an encoder panicked: %v", p)}
			return // the holder may be in any state
		}
		var zero T
		h.value, h.sink = zero, sink{}
		c.holders.Put(h)
	}()
	h.enc.Reset(&h.sink)
	h.enc.UseCompactInts(!c.plan.loose) // in an any, the width is what is left of the type
	if err := h.enc.Encode(&h.value); err != nil {
		return b, encodeError(err)
	}
	if err := h.sink.finish(); err != nil {
		return b, err
	}
	return h.sink.b, nil
}

// encodeError gives an encoder's error our form.
func encodeError(err error) error {
	if _, ok := err.(*ValueError); ok {
		return err
	}
	return &ValueError{What: err.Error(), Err: err}
}

func (c *msgPack[T]) Decode(b []byte) (v T, err error) {
	d := decoder{b: b, left: perByte*len(b) + headroom}
	if len(b) > MaxValue {
		return v, tooLarge("%d bytes, more than %d", len(b), MaxValue)
	}
	defer func() {
		if p := recover(); p != nil {
			var zero T
			v, err = zero, &ValueError{What: fmt.Sprintf("a decoder panicked: %v", p)}
		}
	}()
	to := new(T)
	if err := c.plan.decode(&d, reflect.ValueOf(to).Elem()); err != nil {
		return v, err
	}
	if err := d.end(); err != nil {
		return v, err
	}
	return *to, nil
}
