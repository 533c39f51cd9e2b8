package guest

import (
	"encoding/binary"
	"fmt"
	"io"
	"time"

	"github.com/filchsched/filch/steal/core"
)

// protocolExec is the stream on which a node says what its guest shall run.
const protocolExec = "/filch/guest/exec/1"

// What a frame says.
const (
	frameStart    = iota + 1 // node to guest: run this piece of yours
	frameHalt                // node to guest: stop it
	frameEnded               // guest to node: it has ended, and the guest knows how
	frameDeclined            // guest to node: it was not started, and you do not hold it
)

// A frame is about one piece of a job of the guest's. All have the same length, so there is
// nothing to check but the kind.
type frame struct {
	kind  byte
	piece core.Piece // its Job.Home is the guest
	ran   time.Duration
}

const frameLen = 1 + 8 + 8 + 8 + 8 + 4 + 8

func (f *frame) append(b []byte) []byte {
	b = append(b, f.kind)
	b = binary.BigEndian.AppendUint64(b, f.piece.Job.Seq)
	b = binary.BigEndian.AppendUint64(b, f.piece.Lo)
	b = binary.BigEndian.AppendUint64(b, f.piece.Hi)
	b = binary.BigEndian.AppendUint64(b, f.piece.Attempt.Incarnation)
	b = binary.BigEndian.AppendUint32(b, f.piece.Attempt.N)
	return binary.BigEndian.AppendUint64(b, uint64(f.ran))
}

// readFrame reads a frame about a piece of home's.
func readFrame(r io.Reader, home core.PeerID) (f frame, err error) {
	var b [frameLen]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return f, err
	}
	return parseFrame(&b, home)
}

func parseFrame(b *[frameLen]byte, home core.PeerID) (f frame, err error) {
	u := func(at int) uint64 { return binary.BigEndian.Uint64(b[at:]) }
	f = frame{kind: b[0], ran: time.Duration(u(37)), piece: core.Piece{
		Job:     core.JobID{Home: home, Seq: u(1)},
		Span:    core.Span{Lo: u(9), Hi: u(17)},
		Attempt: core.Attempt{Incarnation: u(25), N: binary.BigEndian.Uint32(b[33:])},
	}}
	switch {
	case f.kind < frameStart || f.kind > frameDeclined:
		return f, fmt.Errorf("guest: a frame of kind %d", f.kind)
	case f.piece.Lo >= f.piece.Hi:
		return f, fmt.Errorf("guest: a piece from %d to %d", f.piece.Lo, f.piece.Hi)
	case f.ran < 0:
		return f, fmt.Errorf("guest: a run of %v", f.ran)
	}
	return f, nil
}
