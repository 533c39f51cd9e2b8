package node

import (
	"context"
	"encoding/binary"
	"errors"
	"time"
)

// An envelope is what travels with the argument of a call: what is left of its deadline, and whose child it is.
//
//	byte     flags: 1 deadline, 2 parent; the others are 0
//	uvarint  nanoseconds that are left, if there is a deadline
//	uvarint  depth, uvarint length and text of the parent's ID, if it has one
//	…        the argument
type envelope struct {
	left   time.Duration // of the deadline; 0: none
	depth  int32         // of parents
	parent string        // its TaskID
}

const (
	flagDeadline = 1
	flagParent   = 2
	maxParentID  = 256 // bytes
)

func (e *envelope) append(b []byte) []byte {
	flags := byte(0)
	if e.left > 0 {
		flags |= flagDeadline
	}
	if e.depth > 0 {
		flags |= flagParent
	}
	b = append(b, flags)
	if e.left > 0 {
		b = binary.AppendUvarint(b, uint64(e.left))
	}
	if e.depth > 0 {
		parent := e.parent[:min(len(e.parent), maxParentID)]
		b = binary.AppendUvarint(b, uint64(e.depth))
		b = binary.AppendUvarint(b, uint64(len(parent)))
		b = append(b, parent...)
	}
	return b
}

var errEnvelope = errors.New("what came with the argument cannot be read: is the peer of another version?")

// openEnvelope parts what append has put together from the argument.
func openEnvelope(b []byte) (e envelope, args []byte, err error) {
	if len(b) == 0 || b[0]&^(flagDeadline|flagParent) != 0 {
		return e, nil, errEnvelope
	}
	flags := b[0]
	b = b[1:]
	number := func(most uint64) uint64 {
		v, n := binary.Uvarint(b)
		if n <= 0 || v > most {
			err = errEnvelope
			return 0
		}
		b = b[n:]
		return v
	}
	if flags&flagDeadline != 0 {
		e.left = time.Duration(number(1 << 62))
		if e.left == 0 {
			err = errEnvelope
		}
	}
	if flags&flagParent != 0 && err == nil {
		e.depth = int32(number(MaxNesting))
		n := number(maxParentID)
		if err == nil && n > uint64(len(b)) {
			err = errEnvelope
		}
		if err == nil {
			e.parent, b = string(b[:n]), b[n:]
		}
	}
	if err != nil {
		return envelope{}, nil, err
	}
	return e, b, nil
}

// within is ctx with the deadline.
func (e *envelope) within(ctx context.Context) (context.Context, context.CancelFunc) {
	if e.left == 0 {
		return ctx, func() {}
	}
	return context.WithTimeoutCause(ctx, e.left, ErrTimedOut)
}
