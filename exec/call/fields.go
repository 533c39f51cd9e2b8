package call

import (
	"reflect"

	"github.com/vmihailenco/tagparser/v2"
)

// A structPlan is which fields a struct has on the wire. The rules are msgpack's, whose encoder writes what we read:
// embedded structs are part of their parent unless a name would be hidden, tags rename, alias and leave out.
type structPlan struct {
	list    []*field
	byName  map[string]*field
	asArray bool
}

type field struct {
	name   string
	number int   // for telling that it came twice
	index  []int // as for reflect.Value.FieldByIndex
	typ    reflect.Type
	plan   *plan
}

func (m *planner) structure(p *plan, t reflect.Type) error {
	s, err := fieldsOf(t, nil)
	if err != nil {
		return err
	}
	if len(s.list) == 0 && t.NumField() > 0 && t.Size() > 0 {
		return wrongType("%s hides all its fields, so nothing of it would travel: export them, or give it MarshalBinary and UnmarshalBinary", t)
	}
	seen := make(map[*field]bool)
	for _, all := range [][]*field{s.list, values(s.byName)} {
		for _, f := range all {
			if seen[f] {
				continue
			}
			seen[f] = true
			f.number = len(seen) - 1
			if f.plan, err = m.inside(p, f.typ); err != nil {
				return under("."+f.name, err)
			}
		}
	}
	for _, f := range s.list {
		if s.byName[f.name] != f && !s.asArray {
			return under("."+f.name, wrongType("two fields of %s have this name", t))
		}
	}
	n := len(seen)
	p.decode = func(d *decoder, v reflect.Value) error { return s.decode(d, v, n) }
	return nil
}

func values(m map[string]*field) (all []*field) {
	for _, f := range m {
		all = append(all, f)
	}
	return all
}

// fieldsOf collects the fields of t. parents are the structs that t is embedded in.
func fieldsOf(t reflect.Type, parents []reflect.Type) (s *structPlan, err error) {
	for _, p := range parents {
		if p == t {
			return nil, wrongType("%s embeds itself", t)
		}
	}
	parents = append(parents, t)
	s = &structPlan{byName: make(map[string]*field)}
	for i := range t.NumField() {
		if err := s.consider(t.Field(i), parents); err != nil {
			return nil, under("."+t.Field(i).Name, err)
		}
	}
	return s, nil
}

// consider adds what a field of the Go struct brings.
func (s *structPlan) consider(f reflect.StructField, parents []reflect.Type) error {
	tag := tagparser.Parse(f.Tag.Get("msgpack"))
	if tag.Name == "-" {
		return nil
	}
	if f.Name == "_msgpack" {
		s.asArray = tag.HasOption("as_array") || tag.HasOption("asArray")
	}
	if !f.IsExported() && !f.Anonymous {
		return nil
	}
	if tag.HasOption("intern") {
		return wrongType("the option intern of its tag is not known")
	}
	to := &field{name: tag.Name, index: f.Index, typ: f.Type}
	if to.name == "" {
		to.name = f.Name
	}
	if f.Anonymous && !tag.HasOption("noinline") {
		done, err := s.inline(f, to, tag.HasOption("inline"), parents)
		if err != nil || done {
			return err
		}
	}
	if !f.IsExported() {
		return wrongType("an embedded %s is not exported and cannot be set", f.Type)
	}
	s.add(to)
	if alias, ok := tag.Options["alias"]; ok {
		s.byName[alias] = to
	}
	return nil
}

func (s *structPlan) add(f *field) {
	s.byName[f.name] = f
	s.list = append(s.list, f)
}

// inline adds the fields of an embedded struct, and its own name: msgpack reads that, too.
func (s *structPlan) inline(f reflect.StructField, to *field, forced bool, parents []reflect.Type) (bool, error) {
	t := f.Type
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || t == timeType {
		return false, nil
	}
	if own, err := customOf(t); err != nil || own != nil {
		return false, err
	}
	if !f.IsExported() && f.Type.Kind() == reflect.Pointer {
		return false, wrongType("an embedded pointer to %s, which is not exported, cannot be set", t)
	}
	inner, err := fieldsOf(t, parents)
	if err != nil {
		return false, err
	}
	for _, g := range inner.list {
		if s.byName[g.name] != nil && !forced {
			return false, nil
		}
	}
	for _, g := range inner.list {
		if s.byName[g.name] == nil {
			g.index = append(append([]int(nil), f.Index...), g.index...)
			s.add(g)
		}
	}
	return true, nil
}

// decode decodes a struct of n fields.
func (s *structPlan) decode(d *decoder, v reflect.Value, n int) error {
	if s.asArray {
		return s.decodeArray(d, v)
	}
	many, ok, err := d.enter(isMap)
	if err != nil || !ok {
		return err
	}
	var few [2]uint64
	came := few[:]
	if n > 128 {
		came = make([]uint64, (n+63)/64)
	}
	for range many / 2 {
		name, err := d.octets("the name of a field")
		if err != nil {
			return err
		}
		f := s.byName[string(name)]
		if f == nil { // of a later version
			if err := d.skip(); err != nil {
				return under("."+string(name[:min(len(name), 32)]), err)
			}
			continue
		}
		bit := uint64(1) << (f.number % 64)
		if came[f.number/64]&bit != 0 {
			return under("."+f.name, malformed("it comes twice"))
		}
		came[f.number/64] |= bit
		if err := f.decode(d, v); err != nil {
			return under("."+f.name, err)
		}
	}
	d.depth--
	return nil
}

func (s *structPlan) decodeArray(d *decoder, v reflect.Value) error {
	n, ok, err := d.enter(isArray)
	if err != nil || !ok {
		return err
	}
	if n != len(s.list) {
		return wrongType("%d fields where %s has %d", n, v.Type(), len(s.list))
	}
	for _, f := range s.list {
		if err := f.decode(d, v); err != nil {
			return under("."+f.name, err)
		}
	}
	d.depth--
	return nil
}

// decode decodes a field of v. Embedded pointers on the way are made, unless a nil comes: that is what is
// written for the fields of one that is nil.
func (f *field) decode(d *decoder, v reflect.Value) error {
	if len(f.index) > 1 && d.null() {
		return nil
	}
	for i, at := range f.index {
		if i > 0 && v.Kind() == reflect.Pointer {
			for v.Kind() == reflect.Pointer {
				if v.IsNil() {
					if err := d.charge(1, int(v.Type().Elem().Size())); err != nil {
						return err
					}
					v.Set(reflect.New(v.Type().Elem()))
				}
				v = v.Elem()
			}
		}
		v = v.Field(at)
	}
	return f.plan.decode(d, v)
}
