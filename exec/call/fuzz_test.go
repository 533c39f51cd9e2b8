package call_test

import (
	"bytes"
	"math/big"
	"net/netip"
	"reflect"
	"runtime"
	"testing"
	"time"

	"github.com/filchsched/filch/exec/call"
)

// decoders decode into one type each, and tell what the value encodes to again.
var decoders = []func(t *testing.T, b []byte){
	again[order], again[*order], again[[]item], again[any], again[map[string]any], again[map[any][]any], again[[]pair],
	again[[][]string], again[map[int8]map[string]*item], again[time.Time], again[[]time.Time], again[[]own], again[netip.Addr],
	again[*big.Int], again[[7]uint16], again[[9]byte], again[struct{ E error }], again[struct{}], again[int], again[int32], again[uint64],
	again[float64], again[[]float32], again[string], again[[]byte], again[bool], again[time.Duration],
	again[struct {
		*Extra
		A any `msgpack:"a,omitempty,alias:b"`
	}],
}

// again decodes b; what is accepted must come back the same once it is encoded, in bounded memory.
func again[T any](t *testing.T, b []byte) {
	c := call.MsgPack[T]()
	v, err := c.Decode(b)
	if err != nil {
		if _, ok := err.(*call.ValueError); !ok {
			t.Fatalf("%T: the error %v is a %T", v, err, err)
		}
		return
	}
	first, err := c.Append(nil, v)
	if err != nil {
		t.Fatalf("%x decoded to %#v, which cannot be encoded: %v", b, v, err)
	}
	w, err := c.Decode(first)
	if err != nil {
		t.Fatalf("%x decoded to %#v, encoded to %x: %v", b, v, first, err)
	}
	second, err := c.Append(nil, w)
	if err != nil || len(first) != len(second) { // maps have no order
		t.Fatalf("%x decoded to %#v, then to %#v: %v", b, v, w, err)
	}
}

func FuzzDecodeValue(f *testing.F) {
	seed := func(which int, b []byte, err error) {
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(which), b)
	}
	when := time.Unix(1<<33, 5)
	b, err := call.MsgPack[order]().Append(nil, order{Extra: &Extra{"n"}, Items: []item{{"a", 1, 2}}, Tags: map[string]string{"a": "b"}, By: map[int32]*item{1: nil}, When: when, Next: &order{}, Bytes: []byte("x")})
	seed(0, b, err)
	b, err = call.MsgPack[any]().Append(nil, map[string]any{"a": []any{1, "x", 1.5, when, nil, []byte{1}, true}})
	seed(3, b, err)
	for i := range decoders {
		f.Add(uint8(i), []byte{0xc0})
		f.Add(uint8(i), []byte{0xdd, 0x7f, 0xff, 0xff, 0xff})
		f.Add(uint8(i), append([]byte{0xdc, 0x10, 0}, bytes.Repeat([]byte{0x80}, 4096)...))
		f.Add(uint8(i), bytes.Repeat([]byte{0x81, 0xa1, 'a'}, 70))
		f.Add(uint8(i), []byte{0x92, 0xc7, 12, 0xff, 0, 0, 0, 1, 0xff, 0, 0, 0, 0, 0, 0, 0, 0xcb, 0x7f, 0xf0, 0, 0, 0, 0, 0, 1})
	}
	f.Fuzz(func(t *testing.T, which uint8, b []byte) {
		if len(b) > 1<<16 {
			return
		}
		decoders[int(which)%len(decoders)](t, b)
	})
}

// TestWhatIsRefusedCostsLittle: values of the worst kind take no more memory than the budget says, with the slack of maps.
func TestWhatIsRefusedCostsLittle(t *testing.T) {
	for name, b := range map[string][]byte{
		"empty structs": append([]byte{0xdd, 0, 1, 0x86, 0xa0}, bytes.Repeat([]byte{0x80}, 100_000)...),
		"nils":          append([]byte{0xdd, 0, 1, 0x86, 0xa0}, bytes.Repeat([]byte{0xc0}, 100_000)...),
		"small maps":    append([]byte{0xdd, 0, 0, 0x61, 0xa8}, bytes.Repeat([]byte{0x81, 0xa1, 'a', 1}, 25_000)...),
	} {
		for _, d := range []func([]byte){into[[]order], into[[]*order], into[any], into[[]map[string]any], into[[]map[string]string], into[[][][]int], into[[][64]string]} {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			d(b)
			runtime.ReadMemStats(&after)
			if took := after.TotalAlloc - before.TotalAlloc; took > 5*(32*uint64(len(b))+1<<20) {
				t.Errorf("%s: %d bytes from %d", name, took, len(b))
			}
		}
	}
}

func into[T any](b []byte) { _, _ = call.MsgPack[T]().Decode(b) }

func benchmark[T any](b *testing.B, v T) {
	b.Run(reflect.TypeFor[T]().String(), func(b *testing.B) {
		c := call.MsgPack[T]()
		buf, err := c.Append(nil, v)
		if err != nil {
			b.Fatal(err)
		}
		b.Run("append", func(b *testing.B) {
			b.SetBytes(int64(len(buf)))
			b.ReportAllocs()
			for b.Loop() {
				buf, _ = c.Append(buf[:0], v)
			}
		})
		b.Run("decode", func(b *testing.B) {
			b.SetBytes(int64(len(buf)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.Decode(buf); err != nil {
					b.Fatal(err)
				}
			}
		})
	})
}

func BenchmarkCodec(b *testing.B) {
	benchmark(b, 12345)
	benchmark(b, bytes.Repeat([]byte{1}, 1000))
	benchmark(b, item{"name", 1.5, 3})
	benchmark(b, make([]float64, 1000))
	benchmark(b, slices1000())
	benchmark(b, order{Items: []item{{"a", 1, 2}, {"b", 1, 2}}, Tags: map[string]string{"a": "b"}, When: time.Unix(5, 0), Next: &order{}})
}

func slices1000() (all []item) {
	for range 1000 {
		all = append(all, item{"name", 1.5, 3})
	}
	return all
}
