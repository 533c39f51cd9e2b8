package core

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// A record is a version byte and a sequence of length-prefixed fields in a fixed
// order. A later version appends fields: who does not know them skips them, and
// still can check the hash, which is over the bytes. The version changes only when a
// field changes its meaning.
const recordVersion = 1

// maxExtraFields bounds the fields that a later version appended.
const maxExtraFields = 64

// ErrRecord is what every error of DecodeRecord wraps.
var ErrRecord = errors.New("core: not a record")

// Encode returns the encoding of r, of which the hash is taken, or what Check
// says is wrong with it.
func (r *Record) Encode() ([]byte, error) {
	if err := r.Check(); err != nil {
		return nil, err
	}
	b := []byte{recordVersion}
	b = appendField(b, r.ID)
	b = appendWhole(b, r.Incarnation)
	b = appendWhole(b, r.Sequence)
	b = appendField(b, r.Name)
	b = appendList(b, r.Addrs)
	b = appendList(b, flatten(r.Labels))
	b = appendField(b, r.Host.Machine[:])
	b = appendField(b, r.Host.Boot[:])
	b = appendField(b, r.Arch)
	b = appendField(b, r.OS)
	b = appendWhole(b, uint64(r.Cores))
	b = appendWhole(b, uint64(r.Memory))
	b = appendList(b, r.Kinds)
	b = appendWhole(b, r.Functions)
	b = appendField(b, r.Version)
	b = appendField(b, r.Certificate)
	b = appendField(b, r.Coordinate)
	b = appendWhole(b, uint64(r.Speed))
	if err := limit("the encoded record", len(b), MaxRecordLen); err != nil {
		return nil, err
	}
	return b, nil
}

// DecodeRecord reads a record. It refuses what is too large, too many, cut off or
// followed by anything but well-formed fields of a later version; it does not
// check that the record is its owner's, which its tag tells.
func DecodeRecord(b []byte) (Record, error) {
	r, err := decodeRecord(b)
	if err != nil {
		return Record{}, fmt.Errorf("%w: %w", ErrRecord, err)
	}
	return r, nil
}

func decodeRecord(b []byte) (Record, error) {
	if err := limit("the encoded record", len(b), MaxRecordLen); err != nil {
		return Record{}, err
	}
	if len(b) == 0 || b[0] != recordVersion {
		return Record{}, errors.New("of another version")
	}
	f := fields{rest: b[1:]}
	r := Record{
		ID:          ID(f.text("id", MaxIDLen)),
		Incarnation: f.whole(),
		Sequence:    f.whole(),
		Name:        f.text("name", MaxNameLen),
		Addrs:       f.list("addresses", MaxAddrs, MaxAddrLen),
		Labels:      f.labels(),
		Host:        HostID{Machine: f.hostPart(), Boot: f.hostPart()},
		Arch:        f.text("arch", MaxWordLen),
		OS:          f.text("os", MaxWordLen),
		Cores:       int(min(f.whole(), MaxCores+1)),
		Memory:      int64(f.whole()),
		Kinds:       f.list("kinds", MaxKinds, MaxWordLen),
		Functions:   f.whole(),
		Version:     f.text("version", MaxWordLen),
		Certificate: slices.Clone(f.bytes("certificate", MaxCertificateLen)),
		Coordinate:  slices.Clone(f.bytes("coordinate", MaxCoordinateLen)),
	}
	if f.more() { // a field that the first records did not have
		r.Speed = int(min(f.whole(), MaxSpeed+1))
	}
	for extra := 0; f.more(); extra++ {
		if extra == maxExtraFields {
			return Record{}, &LimitError{"fields of a later version", extra + 1, maxExtraFields}
		}
		f.next()
	}
	if f.err != nil {
		return Record{}, f.err
	}
	return r, r.Check()
}

// labels reads keys and values in turn; keys rise, so that there is one encoding
// and no key twice.
func (f *fields) labels() map[string]string {
	flat := f.list("labels", 2*MaxLabels, max(MaxLabelKeyLen, MaxLabelValueLen))
	if f.err == nil && len(flat)%2 != 0 {
		f.err = errCut
	}
	if f.err != nil || len(flat) == 0 {
		return nil
	}
	labels := make(map[string]string, len(flat)/2)
	for i := 0; i < len(flat); i += 2 {
		if i > 0 && flat[i] <= flat[i-2] {
			f.err = errors.New("labels out of order")
			return nil
		}
		labels[flat[i]] = flat[i+1]
	}
	return labels
}

func flatten(labels map[string]string) []string {
	var flat []string
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		flat = append(flat, k, labels[k])
	}
	return flat
}

func (f *fields) hostPart() (part [HostIDLen]byte) {
	b := f.next()
	if f.err == nil && len(b) != HostIDLen {
		f.err = fmt.Errorf("a host identity of %d bytes, want %d", len(b), HostIDLen)
	}
	copy(part[:], b)
	return part
}
