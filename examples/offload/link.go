package main

import (
	"context"
	"encoding/binary"
	"errors"
	"sync/atomic"
	"time"

	"github.com/filchsched/filch/node"
)

// A link is the camera's way to the others, with a rate that can change. It needs no root and no second machine: a
// function's arguments are encoded when they leave the process and only then, so the codec of frames is where the link is.
type link struct{ bytesPerSecond atomic.Int64 } // 0: as fast as the network is

// uplink is the camera's.
var uplink link

// carry takes as long as so many bytes take on the link.
func (l *link) carry(n int) {
	if rate := l.bytesPerSecond.Load(); rate > 0 {
		time.Sleep(time.Duration(n) * time.Second / time.Duration(rate))
	}
}

// frameCodec has frames travel over the link: width, height, pixels.
type frameCodec struct{ link *link }

const frameHead = 8

// Append implements node.Codec.
func (c frameCodec) Append(b []byte, f Frame) ([]byte, error) {
	c.link.carry(frameHead + len(f.Pixels))
	b = binary.BigEndian.AppendUint32(b, uint32(f.W))
	b = binary.BigEndian.AppendUint32(b, uint32(f.H))
	return append(b, f.Pixels...), nil
}

// Decode implements node.Codec.
func (frameCodec) Decode(b []byte) (f Frame, err error) {
	if len(b) < frameHead {
		return f, errors.New("a frame is cut off")
	}
	w, h := binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
	if uint64(w)*uint64(h) != uint64(len(b)-frameHead) {
		return f, errors.New("a frame has not as many pixels as it says")
	}
	return Frame{W: int(w), H: int(h), Pixels: append([]byte(nil), b[frameHead:]...)}, nil
}

// A camera's core is slow: what runs on the camera runs so many times. That takes the place of a second, slower machine.
var camera struct {
	id   atomic.Pointer[string]
	slow atomic.Int64
}

func timesHere(ctx context.Context) int64 {
	if id := camera.id.Load(); id != nil && node.Here(ctx).ID() == *id {
		return camera.slow.Load()
	}
	return 1
}
