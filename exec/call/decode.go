package call

import (
	"fmt"
	"reflect"
)

// Values are encoded by the library and decoded here. What comes from a peer would have to be walked over along with its type before
// the library may see it: it dies of a length that lies and of deep nesting, cuts numbers off silently, decodes 100 KB to 51 MB, panics on a
// nil where a time is, and starts a goroutine without an end for each embedded pointer. A walk that knows all of that
// is a decoder but for the setting of the value, and two that must agree are worse than one.

// A decoder is at one place of an encoding.
type decoder struct {
	b     []byte
	at    int
	depth int // of containers that are entered
	left  int // bytes of memory that may still be allocated
}

// head reads the head of the next value, of which everything that it says is there is there.
func (d *decoder) head() (head, error) {
	h := headOf(d.b[d.at:])
	rest := len(d.b) - d.at - h.n
	if h.n == 0 || h.skip > rest || h.elements > rest {
		return head{}, malformed(fmt.Sprintf("malformed or cut off at byte %d of %d", d.at, len(d.b)))
	}
	return h, nil
}

// null reads a nil if that comes next.
func (d *decoder) null() bool {
	if d.at < len(d.b) && d.b[d.at] == 0xc0 {
		d.at++
		return true
	}
	return false
}

// charge counts n elements of some size.
func (d *decoder) charge(n, size int) error {
	if size > 0 && n > d.left/size {
		return tooLarge("%d elements of %d bytes each from an encoding of %d bytes, which may take %d in memory", n, size, len(d.b), perByte*len(d.b)+headroom)
	}
	d.left -= n * size
	return nil
}

// enter reads the head of an array or map; ok is false for a nil. Who entered lowers depth again.
func (d *decoder) enter(want kind) (n int, ok bool, err error) {
	h, err := d.head()
	if err != nil {
		return 0, false, err
	}
	switch {
	case h.kind == isNil:
		d.at += h.n
		return 0, false, nil
	case h.kind != want:
		return 0, false, wrongType("%v where %v is needed", h.kind, want)
	case d.depth == MaxDepth:
		return 0, false, tooDeep()
	}
	d.at += h.n
	d.depth++
	return h.elements, true, nil
}

// elements decodes the first n elements of v.
func (d *decoder) elements(v reflect.Value, n int, elem *plan) error {
	for i := range n {
		if err := elem.decode(d, v.Index(i)); err != nil {
			return under(stepTo(i), err)
		}
	}
	d.depth--
	return nil
}

// skip passes over one value, which may be anything that is well-formed.
func (d *decoder) skip() error {
	h, err := d.head()
	if err != nil {
		return err
	}
	if h.kind == isExt {
		if _, err := timeOf(d.b[d.at+h.n : d.at+h.n+h.skip]); err != nil {
			return err
		}
	}
	d.at += h.n + h.skip
	if h.elements == 0 {
		return nil
	}
	if d.depth == MaxDepth {
		return tooDeep()
	}
	d.depth++
	for range h.elements {
		if err := d.skip(); err != nil {
			return err
		}
	}
	d.depth--
	return nil
}

// take reads a head and the bytes that belong to it; containers only their head.
func (d *decoder) take() (h head, body []byte, err error) {
	if h, err = d.head(); err != nil {
		return h, nil, err
	}
	end := d.at + h.n + h.skip
	body = d.b[d.at+h.n : end]
	if h.skip == 0 && h.kind <= isUint {
		body = d.b[d.at:end] // a small number is its own head
	}
	d.at = end
	return h, body, nil
}

// end tells whether everything was read.
func (d *decoder) end() error {
	if d.at != len(d.b) {
		return malformed(fmt.Sprintf("%d bytes after its end", len(d.b)-d.at))
	}
	return nil
}
