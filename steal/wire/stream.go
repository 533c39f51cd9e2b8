package wire

import (
	"encoding/binary"
	"fmt"
	"io"
)

// lengthSize is of the length before each record.
const lengthSize = 4

func putLength(b []byte, n int) { binary.BigEndian.PutUint32(b, uint32(n)) }

// Version of the format and the protocol. Peers of different versions do not talk.
const Version = 1

const magic = "filch\x00\x00"

// prefaceSize: magic, version, incarnation, epoch.
const prefaceSize = len(magic) + 1 + 8 + 8

// A Preface begins each direction of a stream.
type Preface struct {
	Inc   uint64 // of the writer
	Epoch uint64 // of the channel that the stream belongs to; 0: none
}

// Append appends the preface to b.
func (p Preface) Append(b []byte) []byte {
	b = append(b, magic...)
	b = append(b, Version)
	b = binary.BigEndian.AppendUint64(b, p.Inc)
	return binary.BigEndian.AppendUint64(b, p.Epoch)
}

// A VersionError says that a peer speaks another version.
type VersionError struct{ Theirs uint8 }

func (v *VersionError) Error() string {
	return fmt.Sprintf("the peer speaks version %d of the stealing protocol and this process version %d: run the same release of filch on both", v.Theirs, Version)
}

// ReadPreface reads the beginning of a stream.
func ReadPreface(r io.Reader) (Preface, error) {
	var b [prefaceSize]byte
	if _, err := io.ReadFull(r, b[:len(magic)+1]); err != nil {
		return Preface{}, fmt.Errorf("wire: reading a preface: %w", err)
	}
	if string(b[:len(magic)]) != magic {
		return Preface{}, Garbage("the stream does not begin with filch's preface")
	}
	if v := b[len(magic)]; v != Version {
		return Preface{}, &VersionError{v}
	}
	rest := b[len(magic)+1:]
	if _, err := io.ReadFull(r, rest); err != nil {
		return Preface{}, fmt.Errorf("wire: reading a preface: %w", err)
	}
	return Preface{Inc: binary.BigEndian.Uint64(rest), Epoch: binary.BigEndian.Uint64(rest[8:])}, nil
}

// ReadRecord reads a record of at most so many bytes into b, which grows if need be, and
// returns it without its length. io.EOF is a stream that ends between two records.
func ReadRecord(r io.Reader, b []byte, most int) ([]byte, error) {
	b = append(b[:0], 0, 0, 0, 0)
	if _, err := io.ReadFull(r, b[:lengthSize]); err != nil {
		return b, err
	}
	n := binary.BigEndian.Uint32(b)
	if int64(n) > int64(most) {
		return b, &TooLong{Size: int(n), Most: most}
	}
	if cap(b) < int(n) {
		b = make([]byte, n)
	}
	b = b[:n]
	if _, err := io.ReadFull(r, b); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return b, err
	}
	return b, nil
}
