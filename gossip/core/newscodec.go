package core

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"
)

// A datagram is a version byte, the number of entries, the sender's digest, and
// entries of one size; the first is the sender's own. Fixed sizes make the cost of
// news easy to state, and leave nothing to measure before decoding but the whole.
const (
	newsVersion   = 1
	newsHeaderLen = 1 + 1 + 8
	entryLen      = 8 + 2 + 4 + 1 + 2 + 2 + 2

	// MaxEntries bounds the entries that are read; fewer are sent.
	MaxEntries = (MaxDatagramLen - newsHeaderLen) / entryLen
)

// The units in which figures travel. Thieves look for candidates; a steal's own
// messages carry exact load.
const (
	ageUnit    = 10 * time.Millisecond
	queuedUnit = time.Millisecond
)

// ErrNews is what every error of decoding a datagram wraps.
var ErrNews = errors.New("core: not a datagram of news")

// A datagram is one message of news.
type datagram struct {
	digest  uint64
	entries []Entry // the sender's own first
}

func (d datagram) encode() []byte {
	b := make([]byte, 0, newsHeaderLen+len(d.entries)*entryLen)
	b = append(b, newsVersion, byte(len(d.entries)))
	b = binary.BigEndian.AppendUint64(b, d.digest)
	for _, e := range d.entries {
		b = binary.BigEndian.AppendUint64(b, uint64(e.who))
		b = binary.BigEndian.AppendUint16(b, e.incarnation)
		b = binary.BigEndian.AppendUint32(b, e.sequence)
		b = append(b, byte(e.standing))
		b = binary.BigEndian.AppendUint16(b, e.freeCores)
		b = binary.BigEndian.AppendUint16(b, packQueued(e.queued))
		b = binary.BigEndian.AppendUint16(b, packAge(e.age))
	}
	return b
}

// decodeNews reads a datagram and refuses everything whose size is not exactly
// what its count says.
func decodeNews(b []byte) (datagram, error) {
	if len(b) < newsHeaderLen+entryLen || len(b) > MaxDatagramLen {
		return datagram{}, fmt.Errorf("%w: %d bytes", ErrNews, len(b))
	}
	if b[0] != newsVersion {
		return datagram{}, fmt.Errorf("%w: version %d", ErrNews, b[0])
	}
	n := int(b[1])
	if n == 0 || len(b) != newsHeaderLen+n*entryLen {
		return datagram{}, fmt.Errorf("%w: %d entries in %d bytes", ErrNews, n, len(b))
	}
	d := datagram{digest: binary.BigEndian.Uint64(b[2:]), entries: make([]Entry, n)}
	for i := range d.entries {
		d.entries[i] = decodeEntry(b[newsHeaderLen+i*entryLen:])
		if d.entries[i].standing&known == known {
			return datagram{}, fmt.Errorf("%w: entry %d says surplus and starved", ErrNews, i)
		}
	}
	return d, nil
}

func decodeEntry(b []byte) Entry {
	return Entry{
		who:         handle(binary.BigEndian.Uint64(b)),
		incarnation: binary.BigEndian.Uint16(b[8:]),
		sequence:    binary.BigEndian.Uint32(b[10:]),
		standing:    Standing(b[14]),
		freeCores:   binary.BigEndian.Uint16(b[15:]),
		queued:      unpackQueued(binary.BigEndian.Uint16(b[17:])),
		age:         time.Duration(binary.BigEndian.Uint16(b[19:])) * ageUnit,
	}
}

func packAge(d time.Duration) uint16 {
	return uint16(min(max(d, 0)/ageUnit, math.MaxUint16))
}

// packQueued writes a duration as a mantissa of 11 bits and an exponent of 5:
// a millisecond to a month, to one part in a thousand, in two bytes.
func packQueued(d time.Duration) uint16 {
	v, exponent := uint64(max(d, 0)/queuedUnit), uint16(0)
	for ; v > mantissaMask; v >>= 1 {
		exponent++
	}
	if exponent > maxExponent {
		return math.MaxUint16
	}
	return exponent<<mantissaBits | uint16(v)
}

func unpackQueued(w uint16) time.Duration {
	return time.Duration(w&mantissaMask) << (w >> mantissaBits) * queuedUnit
}

const (
	mantissaBits = 11
	mantissaMask = 1<<mantissaBits - 1
	maxExponent  = 31
)
