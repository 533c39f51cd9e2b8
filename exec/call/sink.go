package call

import "errors"

// A sink is what an encoder writes to: a slice with an end. If walk, it follows the structure as it is written, so
// that a value that is nested too deeply, or has a cycle, ends with an error and not with the stack.
type sink struct {
	b     []byte
	start int // where the value begins
	walk  bool

	begun bool
	depth int               // of the containers that are open
	open  [MaxDepth + 1]int // elements that are still to come in each
	skip  int               // bytes that belong to the last value
}

var errEncoder = errors.New("a custom encoder wrote what is not one MessagePack value")

// Write implements io.Writer.
func (s *sink) Write(p []byte) (int, error) {
	if len(s.b)-s.start+len(p) > MaxValue {
		return 0, tooLarge("more than %d bytes", MaxValue)
	}
	s.b = append(s.b, p...)
	if s.walk {
		return len(p), s.follow(p)
	}
	return len(p), nil
}

// WriteByte is there because encoders wrap writers that lack it.
func (s *sink) WriteByte(c byte) error {
	one := [1]byte{c}
	if s.walk || len(s.b)-s.start >= MaxValue {
		_, err := s.Write(one[:])
		return err
	}
	s.b = append(s.b, c)
	return nil
}

// follow walks over what was written. Encoders write the head of a value in one piece, but for the type of an extension.
func (s *sink) follow(p []byte) error {
	for len(p) > 0 {
		if s.skip > 0 {
			n := min(s.skip, len(p))
			s.skip -= n
			p = p[n:]
			continue
		}
		if s.begun && s.closed() {
			return &ValueError{What: errEncoder.Error(), Err: errEncoder}
		}
		h := headOf(p)
		if h.n == 0 {
			return &ValueError{What: errEncoder.Error(), Err: errEncoder}
		}
		s.begun = true
		if s.depth > 0 {
			s.open[s.depth]--
		}
		s.skip, p = h.skip, p[h.n:]
		if h.elements > 0 {
			if s.depth == MaxDepth {
				return tooDeep()
			}
			s.depth++
			s.open[s.depth] = h.elements
		}
	}
	return nil
}

// closed leaves the containers that are full, and tells whether none is open.
func (s *sink) closed() bool {
	for s.depth > 0 && s.open[s.depth] == 0 {
		s.depth--
	}
	return s.depth == 0
}

// finish tells whether what was written is one value.
func (s *sink) finish() error {
	if s.walk && (!s.begun || s.skip > 0 || !s.closed()) {
		return &ValueError{What: errEncoder.Error(), Err: errEncoder}
	}
	return nil
}

func tooDeep() error {
	return tooLarge("nested more than %d levels deep, or a cycle", MaxDepth)
}
