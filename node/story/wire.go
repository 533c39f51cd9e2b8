package story

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"time"

	"github.com/filchsched/filch/node/control"
	"github.com/filchsched/filch/steal"
)

const (
	// Protocol is how a process asks another one for a task's story.
	Protocol = "/filch/explain/1"
	// FarewellProtocol is how a run that ends leaves its own with its node.
	FarewellProtocol = "/filch/farewell/1"
)

// Limits of the wire.
const (
	maxAsk      = 4 << 10 // bytes
	maxAnswer   = 1 << 20 // bytes
	MaxFarewell = 1 << 20 // bytes
	// Patience is how long an answer may take.
	Patience = 5 * time.Second
)

var errTooLong = errors.New("it is too long")

// Ask asks on a stream, which is over afterwards.
func Ask(ctx context.Context, s steal.Stream, q control.Explaining) (a control.Explained, err error) {
	stop := context.AfterFunc(ctx, func() { s.Reset() })
	defer stop()
	defer s.Reset()
	if err := write(s, q, maxAsk); err != nil {
		return a, err
	}
	return a, read(s, &a, maxAnswer)
}

// Answer answers one question on a stream.
func Answer(ctx context.Context, s steal.Stream, f func(context.Context, control.Explaining) control.Explained) {
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { s.Reset() })
	defer stop()
	var q control.Explaining
	if read(s, &q, maxAsk) != nil || write(s, f(ctx, q), maxAnswer) != nil {
		s.Reset()
		return
	}
	s.Close()
}

func write(w io.Writer, v any, most int) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if len(b) > most {
		return errTooLong
	}
	_, err = w.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...))
	return err
}

// read reads a frame whose length is judged before it is read.
func read(r io.Reader, v any, most int) error {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return err
	}
	n := binary.BigEndian.Uint32(head[:])
	if int64(n) > int64(most) {
		return errTooLong
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		return err
	}
	return json.Unmarshal(b, v)
}
