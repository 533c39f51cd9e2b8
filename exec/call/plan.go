package call

import (
	"encoding"
	"fmt"
	"reflect"
	"sync"
	"time"

	"github.com/vmihailenco/msgpack/v5"
)

// A plan is how values of one type are decoded: made once per type, then only read.
type plan struct {
	decode func(d *decoder, v reflect.Value) error // v is zero and addressable
	deep   bool                                    // the type does not bound how deeply its values are nested
	loose  bool                                    // an any is inside
}

// A planner makes the plans of a type and of all in it. Plans of types that contain themselves refer to one another before
// they are complete, so they are published together.
type planner struct {
	done map[reflect.Type]*plan
	open map[reflect.Type]*plan
}

var plans struct {
	sync.Mutex
	m map[reflect.Type]*plan
}

// planOf returns the plan of a type, or why there is none.
func planOf(t reflect.Type) (*plan, error) {
	plans.Lock()
	defer plans.Unlock()
	if p := plans.m[t]; p != nil {
		return p, nil
	}
	m := &planner{done: make(map[reflect.Type]*plan), open: make(map[reflect.Type]*plan)}
	p, err := m.plan(t)
	if err != nil {
		if v, ok := err.(*ValueError); ok {
			v.Root = t.String()
		}
		return nil, err
	}
	if plans.m == nil {
		plans.m = make(map[reflect.Type]*plan)
	}
	plans.m[t] = p
	return p, nil
}

// plan returns the plan of t; an incomplete one inside of t itself.
func (m *planner) plan(t reflect.Type) (*plan, error) {
	if p := m.done[t]; p != nil {
		return p, nil
	}
	if p := m.open[t]; p != nil {
		p.deep = true
		return p, nil
	}
	p := new(plan)
	m.open[t] = p
	err := m.fill(p, t)
	delete(m.open, t)
	if err != nil {
		return nil, err
	}
	m.done[t] = p
	return p, nil
}

// inside returns the plan of a part of what p is for.
func (m *planner) inside(p *plan, t reflect.Type) (*plan, error) {
	q, err := m.plan(t)
	if err != nil {
		return nil, err
	}
	p.deep = p.deep || q.deep
	p.loose = p.loose || q.loose
	return q, nil
}

var (
	timeType  = reflect.TypeFor[time.Time]()
	errorType = reflect.TypeFor[error]()
)

func (m *planner) fill(p *plan, t reflect.Type) (err error) {
	if t == timeType {
		p.decode = decodeTime
		return nil
	}
	if own, err := customOf(t); err != nil || own != nil {
		p.decode, p.deep = own, true
		return err
	}
	switch t.Kind() {
	case reflect.Bool:
		p.decode = decodeBool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		p.decode = decodeInt
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		p.decode = decodeUint
	case reflect.Float32, reflect.Float64:
		p.decode = decodeFloat
	case reflect.String:
		p.decode = decodeString
	case reflect.Pointer:
		return m.pointer(p, t)
	case reflect.Slice:
		return m.slice(p, t)
	case reflect.Array:
		return m.array(p, t)
	case reflect.Map:
		return m.mapping(p, t)
	case reflect.Struct:
		return m.structure(p, t)
	case reflect.Interface:
		return interfacePlan(p, t)
	default:
		return wrongType("a %s (%s) cannot travel", t.Kind(), t)
	}
	return nil
}

func (m *planner) pointer(p *plan, t reflect.Type) error {
	for e, n := t.Elem(), 0; e.Kind() == reflect.Pointer; e, n = e.Elem(), n+1 {
		if n == MaxDepth {
			return wrongType("%s is a pointer to pointers without an end", t)
		}
	}
	elem, err := m.inside(p, t.Elem())
	if err != nil {
		return err
	}
	e, size := t.Elem(), int(t.Elem().Size())
	p.decode = func(d *decoder, v reflect.Value) error {
		if d.null() {
			return nil
		}
		if err := d.charge(1, size); err != nil {
			return err
		}
		to := reflect.New(e)
		v.Set(to)
		return elem.decode(d, to.Elem())
	}
	return nil
}

func (m *planner) slice(p *plan, t reflect.Type) error {
	if t.Elem().Kind() == reflect.Uint8 {
		p.decode = decodeBytes
		return nil
	}
	elem, err := m.inside(p, t.Elem())
	if err != nil {
		return under("[…]", err)
	}
	size := int(t.Elem().Size())
	p.decode = func(d *decoder, v reflect.Value) error {
		n, ok, err := d.enter(isArray)
		if err != nil || !ok {
			return err
		}
		if err := d.charge(n, size); err != nil {
			return err
		}
		v.Set(reflect.MakeSlice(t, n, n))
		return d.elements(v, n, elem)
	}
	return nil
}

func (m *planner) array(p *plan, t reflect.Type) error {
	if t.Elem().Kind() == reflect.Uint8 {
		p.decode = decodeByteArray
		return nil
	}
	elem, err := m.inside(p, t.Elem())
	if err != nil {
		return under("[…]", err)
	}
	p.decode = func(d *decoder, v reflect.Value) error {
		n, ok, err := d.enter(isArray)
		if err != nil || !ok {
			return err
		}
		if n > v.Len() {
			return wrongType("%d elements where %s has room for %d", n, t, v.Len())
		}
		return d.elements(v, n, elem)
	}
	return nil
}

func (m *planner) mapping(p *plan, t reflect.Type) error {
	key, err := m.inside(p, t.Key())
	if err != nil {
		return under("[key]", err)
	}
	elem, err := m.inside(p, t.Elem())
	if err != nil {
		return under("[…]", err)
	}
	kt, et := t.Key(), t.Elem()
	size := int(kt.Size() + et.Size() + 1) // a map keeps a byte per slot
	p.decode = func(d *decoder, v reflect.Value) error {
		n, ok, err := d.enter(isMap)
		if err != nil || !ok {
			return err
		}
		n /= 2
		if err := d.charge(1, mapSize+n*size); err != nil {
			return err
		}
		v.Set(reflect.MakeMapWithSize(t, n))
		for range n {
			k, e := reflect.New(kt).Elem(), reflect.New(et).Elem()
			if err := key.decode(d, k); err != nil {
				return under("[key]", err)
			}
			if !k.Comparable() {
				return wrongType("a key that cannot be compared")
			}
			if err := elem.decode(d, e); err != nil {
				return under(keyStep(k), err)
			}
			v.SetMapIndex(k, e)
		}
		d.depth--
		return nil
	}
	return nil
}

// mapSize is what an empty map takes.
const mapSize = 48

func keyStep(k reflect.Value) string {
	if k.Kind() == reflect.String {
		return quoted(k.String())
	}
	return "[…]"
}

func interfacePlan(p *plan, t reflect.Type) error {
	p.deep, p.loose = true, true
	switch {
	case t == errorType:
		p.deep, p.loose = false, false
		p.decode = decodeError
	case t.NumMethod() == 0:
		p.decode = decodeAny
	default:
		return wrongType("the interface %s cannot be decoded: nothing tells which type was in it", t)
	}
	return nil
}

// How a type writes and reads itself, in the order in which msgpack looks for it.
var ways = []struct {
	writes, reads reflect.Type
	name          string
}{
	{reflect.TypeFor[msgpack.CustomEncoder](), reflect.TypeFor[msgpack.CustomDecoder](), "EncodeMsgpack or DecodeMsgpack"},
	{reflect.TypeFor[msgpack.Marshaler](), reflect.TypeFor[msgpack.Unmarshaler](), "MarshalMsgpack or UnmarshalMsgpack"},
	{reflect.TypeFor[encoding.BinaryMarshaler](), reflect.TypeFor[encoding.BinaryUnmarshaler](), "MarshalBinary or UnmarshalBinary"},
	{reflect.TypeFor[encoding.TextMarshaler](), reflect.TypeFor[encoding.TextUnmarshaler](), "MarshalText or UnmarshalText"},
}

type customWay int

const (
	noWay customWay = iota - 1
	byDecoder
	byMsgpack
	byBinary
	byText
)

// customOf returns how a type that decodes itself does it; nil for one that does not.
func customOf(t reflect.Type) (func(*decoder, reflect.Value) error, error) {
	if t.Kind() == reflect.Pointer || t.Kind() == reflect.Interface {
		return nil, nil // methods are its element's
	}
	write, read := noWay, noWay
	for _, holder := range []reflect.Type{t, reflect.PointerTo(t)} { // in msgpack's order
		if write == noWay {
			write = wayOf(func(w int) bool { return holder.Implements(ways[w].writes) })
		}
		if read == noWay {
			read = wayOf(func(w int) bool { return holder.Implements(ways[w].reads) })
		}
	}
	pair := func(w customWay) int { return max(1, int(w)) } // both msgpack ways write one MessagePack value
	switch {
	case write == noWay && read == noWay:
		return nil, nil
	case write == noWay:
		return nil, wrongType("%s has a reader of its own (%s), but no writer", t, ways[read].name)
	case read == noWay:
		return nil, wrongType("%s has a writer of its own (%s), but no reader", t, ways[write].name)
	case pair(write) != pair(read):
		return nil, wrongType("%s writes itself by %s and reads itself by %s, which do not match", t, ways[write].name, ways[read].name)
	}
	return customDecoders[read], nil
}

func wayOf(has func(int) bool) customWay {
	for i := range ways {
		if has(i) {
			return customWay(i)
		}
	}
	return noWay
}

func stepTo(i int) string { return fmt.Sprintf("[%d]", i) }
