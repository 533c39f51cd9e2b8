package call_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"net/netip"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"testing/quick"
	"time"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/filchsched/filch/exec/call"
)

type item struct {
	Name  string
	Price float64
	Count uint16 `msgpack:"n,omitempty"`
}

type base struct{ ID int64 }

type order struct {
	base
	*Extra
	Items   []item
	Tags    map[string]string
	By      map[int32]*item
	When    time.Time
	Took    time.Duration
	Sum     [4]byte
	Hidden  int `msgpack:"-"`
	Next    *order
	Bytes   []byte
	Numbers [3]int8
	On      bool
	F32     float32
}

type Extra struct{ Note string }

type pair struct {
	_msgpack struct{} `msgpack:",as_array"` //lint:ignore U1000 msgpack reads it
	A        int
	B        string
}

type celsius float64

type own struct{ n int }

func (o own) EncodeMsgpack(e *msgpack.Encoder) error { return e.EncodeMulti([]int{o.n, -o.n}) }
func (o *own) DecodeMsgpack(d *msgpack.Decoder) error {
	var two []int
	err := d.Decode(&two)
	if err == nil && len(two) != 2 {
		return errTwo
	}
	if err == nil {
		o.n = two[0]
	}
	return err
}

// trip encodes and decodes a value.
func trip[T any](t *testing.T, v T) (back T) {
	t.Helper()
	c := call.MsgPack[T]()
	b, err := c.Append([]byte("before"), v)
	if err != nil || !bytes.HasPrefix(b, []byte("before")) {
		t.Fatalf("%#v: encode: %v", v, err)
	}
	if back, err = c.Decode(b[len("before"):]); err != nil {
		t.Fatalf("%#v: decode: %v\n%x", v, err, b)
	}
	return back
}

func same[T any](t *testing.T, v T) {
	t.Helper()
	if back := trip(t, v); !reflect.DeepEqual(v, back) {
		t.Errorf("sent %#v\ngot %#v", v, back)
	}
}

func check[T any](t *testing.T) {
	t.Run(reflect.TypeFor[T]().String(), func(t *testing.T) {
		err := quick.Check(func(v T) bool { same(t, v); return !t.Failed() }, &quick.Config{MaxCount: 50})
		if err != nil {
			t.Error(err)
		}
	})
}

func TestAnyValueComesBackAsItWasSent(t *testing.T) {
	check[int](t)
	check[int8](t)
	check[int16](t)
	check[int32](t)
	check[int64](t)
	check[uint](t)
	check[uint8](t)
	check[uint16](t)
	check[uint32](t)
	check[uint64](t)
	check[float32](t)
	check[float64](t)
	check[bool](t)
	check[string](t)
	check[[]byte](t)
	check[celsius](t)
	check[[]int](t)
	check[[]string](t)
	check[[][]float32](t)
	check[map[string]int](t)
	check[map[int16][]string](t)
	check[map[[2]int8]bool](t)
	check[[3]uint32](t)
	check[[5]byte](t)
	check[struct{}](t)
	check[[]struct{}](t)
	check[item](t)
	check[[]item](t)
	check[*item](t)
	check[time.Duration](t)
	check[map[string]map[int8]bool](t)
}

func TestStructsOfAllKinds(t *testing.T) {
	when := time.Date(2026, 2, 3, 4, 5, 6, 789, time.UTC)
	same(t, order{
		base: base{ID: -5}, Extra: &Extra{"note"}, Items: []item{{"a", 1.5, 0}, {"b", -2, 9}}, Tags: map[string]string{"k": "v"},
		By: map[int32]*item{7: {Name: "seven"}, 8: nil}, When: when, Took: time.Minute, Sum: [4]byte{1, 2, 3, 4},
		Next: &order{When: when, Bytes: []byte{}}, Bytes: []byte{9}, Numbers: [3]int8{-1, 0, 1}, On: true, F32: 0.1,
	})
	same(t, order{}) // a nil embedded pointer stays nil
	same(t, []any{nil, true, int8(5), uint8(200), int64(-7), 1.5, float32(2.5), "s", []byte{1}, when, []any{"x"}, map[string]any{"k": int8(1)}})
	same(t, map[any]string{"a": "b", int8(3): "c"})
	same(t, own{4})
	same(t, []pair{{A: 1, B: "one"}, {}})
	same(t, []*own{{1}, nil})
	same(t, map[string]own{"a": {2}})
	same(t, netip.MustParseAddr("10.0.0.1"))
	same(t, url.URL{Scheme: "http", Host: "x"})
	same(t, big.NewInt(1<<62))
	same(t, struct{ E error }{errors.New("text")})
	same(t, struct{ E error }{})
	same(t, msgpack.RawMessage{0x93, 1, 2, 3})
}

func TestTimesComeBackInUTCWithoutTheMonotonicPart(t *testing.T) {
	zone := time.FixedZone("far", 5*3600)
	for _, v := range []time.Time{{}, time.Now(), time.Unix(0, 0), time.Unix(-1, 5), time.Unix(1<<34, 1), time.Unix(1<<33, 999999999).In(zone)} {
		for _, back := range []time.Time{trip(t, v), trip(t, struct{ T time.Time }{v}).T, *trip(t, &v), trip(t, any(v)).(time.Time)} {
			if !back.Equal(v) || back != v.Round(0).UTC() {
				t.Errorf("sent %v, got %v", v, back)
			}
		}
	}
}

// refused decodes what must not be accepted and compares the error's text.
func refused[T any](t *testing.T, b []byte, kind error, says string) {
	t.Helper()
	v, err := call.MsgPack[T]().Decode(b)
	if !errors.Is(err, kind) || !strings.Contains(fmt.Sprint(call.Of("argument", err)), says) {
		t.Errorf("%x into %T: %v; want %q", b, v, err, says)
	}
}

func pack(t *testing.T, v any) []byte {
	t.Helper()
	b, err := msgpack.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestAWrongValueIsAnErrorThatSaysWhere(t *testing.T) {
	type m = map[string]any
	refused[order](t, pack(t, m{"Items": []any{m{}, m{"Price": "x"}}}), call.ErrType, `argument.Items[1].Price: a string where a float64 is needed`)
	refused[order](t, pack(t, m{"Tags": m{"k": 5}}), call.ErrType, `argument.Tags["k"]: a number where a string is needed`)
	refused[order](t, pack(t, m{"ID": 1.5}), call.ErrType, `argument.ID: a float64 where an integer is needed`)
	refused[order](t, pack(t, m{"When": 5}), call.ErrType, `argument.When: a number where a time is needed`)
	refused[order](t, pack(t, m{"Sum": make([]byte, 5)}), call.ErrType, `room for 4`)
	refused[order](t, pack(t, m{"Numbers": []int{1, 2, 3, 4}}), call.ErrType, `room for 3`)
	refused[order](t, pack(t, m{"F32": 0.1}), call.ErrType, `argument.F32: a float64 where a float32 is needed`)
	refused[order](t, pack(t, []int{}), call.ErrType, `argument: an array where a map is needed`)
	refused[[]own](t, pack(t, [][]int{{1, 2}, {1}}), errTwo, `argument[1]: call_test.own cannot read it: two numbers`)
	refused[struct{ E error }](t, pack(t, m{"E": 4}), call.ErrType, "the text of an error")
	refused[map[any]int](t, []byte{0x81, 0x90, 1}, call.ErrType, "cannot be compared")
	refused[any](t, []byte{0x81, 5, 1}, call.ErrType, "key of a map that lies in an any")
	refused[item](t, []byte{0x82, 0xa1, 'n', 1, 0xa1, 'n', 2}, call.ErrMalformed, "argument.n: it comes twice")
	refused[pair](t, []byte{0x91, 1}, call.ErrType, "1 fields where")
}

var errTwo = errors.New("two numbers are needed")

func TestAnIntegerIsNeverCutOff(t *testing.T) {
	refused[int8](t, pack(t, int16(128)), call.ErrType, "the number 128 does not fit into int8")
	refused[int8](t, pack(t, int16(-129)), call.ErrType, "-129 does not fit into int8")
	refused[uint8](t, pack(t, 256), call.ErrType, "256 does not fit into uint8")
	refused[uint](t, pack(t, -1), call.ErrType, "-1 does not fit into uint")
	refused[uint64](t, pack(t, int64(-1)), call.ErrType, "-1 does not fit into uint64")
	refused[int64](t, pack(t, uint64(1<<63)), call.ErrType, "does not fit into int64")
	refused[int32](t, pack(t, int64(1<<31)), call.ErrType, "does not fit into int32")
	refused[int](t, pack(t, uint64(1<<63)), call.ErrType, "does not fit into int")
	refused[time.Duration](t, pack(t, uint64(1<<63)), call.ErrType, "does not fit into time.Duration")
	refused[float64](t, pack(t, int64(1<<53+1)), call.ErrType, "does not fit into float64")
	refused[float32](t, pack(t, -1<<24-1), call.ErrType, "does not fit into float32")
	for _, v := range []any{int8(5), uint16(5), int64(5), uint64(5), 5} {
		if got, err := call.MsgPack[uint8]().Decode(pack(t, v)); err != nil || got != 5 {
			t.Errorf("%T: %d, %v", v, got, err)
		}
	}
}

func TestDecodingTakesBoundedMemory(t *testing.T) {
	type large struct{ A [64]int64 }
	nils := append(binary.BigEndian.AppendUint32([]byte{0xdd}, 100<<10), bytes.Repeat([]byte{0xc0}, 100<<10)...)
	refused[[]large](t, nils, call.ErrTooLarge, "102400 elements of 512 bytes each")
	refused[[]*large](t, bytes.ReplaceAll(nils, []byte{0xc0}, []byte{0x80}), call.ErrTooLarge, "512 bytes")
	refused[[]int64](t, []byte{0xdd, 0x7f, 0xff, 0xff, 0xff}, call.ErrMalformed, "cut off")
	refused[any](t, []byte{0xdf, 0xff, 0xff, 0xff, 0xff}, call.ErrMalformed, "cut off")
	refused[string](t, []byte{0xdb, 0x7f, 0xff, 0xff, 0xff}, call.ErrMalformed, "cut off")
	refused[string](t, []byte{0xda, 0x10, 0, 'x'}, call.ErrMalformed, "cut off")
	refused[item](t, append(pack(t, item{}), 0), call.ErrMalformed, "1 bytes after its end")
	refused[any](t, bytes.Repeat([]byte{0x91}, 5<<20), call.ErrTooLarge, "nested more than 64")
	refused[item](t, append([]byte{0x81, 0xa1, 'x'}, bytes.Repeat([]byte{0x91}, 5<<20)...), call.ErrTooLarge, "nested more than 64")
	refused[any](t, []byte{0xd4, 5, 0}, call.ErrType, "extension of type 5")
	refused[item](t, []byte{0x81, 0xa1, 'x', 0xd4, 5, 0}, call.ErrType, "extension of type 5")
	refused[time.Time](t, []byte{0xd4, 0xff, 0}, call.ErrMalformed, "neither 4, 8 nor 12")
	refused[time.Time](t, []byte{0xc7, 0, 0xff}, call.ErrMalformed, "neither 4, 8 nor 12")
	refused[any](t, []byte{0xc1}, call.ErrMalformed, "byte 0")
	refused[int](t, nil, call.ErrMalformed, "cut off")
}

func TestACycleEndsWithAnError(t *testing.T) {
	type node struct{ Next *node }
	var n node
	n.Next = &n
	if b, err := call.MsgPack[node]().Append([]byte("x"), n); !errors.Is(err, call.ErrTooLarge) || string(b) != "x" {
		t.Errorf("%q, %v", b, err)
	}
	loop := map[string]any{}
	loop["self"] = loop
	if _, err := call.MsgPack[any]().Append(nil, loop); !errors.Is(err, call.ErrTooLarge) {
		t.Error(err)
	}
	list := &node{}
	for range call.MaxDepth - 1 {
		list = &node{list}
	}
	same(t, list)
	if _, err := call.MsgPack[*node]().Append(nil, &node{list}); !errors.Is(err, call.ErrTooLarge) {
		t.Error(err)
	}
}

type half struct{}

func (half) MarshalText() ([]byte, error) { return nil, nil }

type Selfish struct{ *Selfish }
type hidden struct{ _, _ int }
type endless *endless

type bad struct{}

func (bad) EncodeMsgpack(*msgpack.Encoder) error  { panic("no") }
func (*bad) DecodeMsgpack(*msgpack.Decoder) error { panic("no") }

func TestTypesThatCannotTravelAreRefusedAtOnce(t *testing.T) {
	for _, tc := range []struct {
		err  error
		says string
	}{
		{call.Supported[chan int](), "chan int: a chan (chan int) cannot travel"},
		{call.Supported[func()](), "cannot travel"},
		{call.Supported[complex128](), "cannot travel"},
		{call.Supported[uintptr](), "cannot travel"},
		{call.Supported[struct{ A []struct{ F func() } }](), ".A[…].F: a func"},
		{call.Supported[map[string]fmt.Stringer](), "nothing tells which type was in it"},
		{call.Supported[half](), "MarshalText"},
		{call.Supported[Selfish](), "embeds itself"},
		{call.Supported[hidden](), "hides all its fields"},
		{call.Supported[endless](), "without an end"},
		{call.Supported[struct {
			A string `msgpack:",intern"`
		}](), "intern"},
		{call.Supported[struct {
			A, B int `msgpack:"x"`
		}](), "two fields"},
		{call.Supported[struct{ *base }](), "not exported"},
	} {
		if tc.err == nil || !strings.Contains(tc.err.Error(), tc.says) {
			t.Errorf("%v; want %q", tc.err, tc.says)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("MsgPack of a channel did not panic")
		}
	}()
	call.MsgPack[chan int]()
}

func TestAPanicInATypesOwnCodecIsAnError(t *testing.T) {
	c := call.MsgPack[bad]()
	if _, err := c.Append(nil, bad{}); err == nil || !strings.Contains(err.Error(), "panicked: no") {
		t.Error(err)
	}
	if _, err := c.Decode([]byte{1}); err == nil || !strings.Contains(err.Error(), "panicked: no") {
		t.Error(err)
	}
}
