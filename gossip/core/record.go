package core

import (
	"fmt"
	"maps"
	"slices"
)

// A Record is what a member announces about itself: where it is, what it has and
// what it can run. It changes rarely; load travels as news. A record handed to or
// returned by this package must not be changed afterwards: Clone it.
type Record struct {
	ID          ID                // whose record it is
	Incarnation uint64            // of the owner's starts; set by the Machine
	Sequence    uint64            // counts the records of an incarnation from 1; set by the Machine
	Name        string            // for people
	Addrs       []string          // multiaddrs that can be dialled
	Labels      map[string]string // "rack", "zone" and whatever its owner likes
	Host        HostID            // which machine it runs on
	Arch        string            // as GOARCH
	OS          string            // as GOOS
	Cores       int               // workers that it offers to tasks
	Memory      int64             // bytes, 0 for unknown
	Kinds       []string          // of tasks that it runs for others
	Functions   uint64            // digest of the registered functions
	Version     string            // of the program
	Certificate []byte            // of membership; opaque here
	Coordinate  []byte            // network coordinate when announced; opaque here, may be empty
	Speed       int               // of one core, in thousandths of that of a reference core; 0 for unknown
}

// HostIDLen is the length of both parts of a HostID, in bytes.
const HostIDLen = 16

// A HostID tells whether two members share a machine. Both parts are hashes, so
// that a record does not publish what other software may use as a secret; zero
// means unknown.
type HostID struct {
	Machine [HostIDLen]byte // of the machine ID: survives a reboot, and is the same on cloned disks
	Boot    [HostIDLen]byte // of the boot ID: one running kernel, containers included
}

// The limits of a record. They hold for what is read and for what is written: a
// member that announced more would be refused by everybody.
const (
	MaxRecordLen      = 8 << 10 // bytes; two hundred typical ones fit into a stream's first window
	MaxNameLen        = 128
	MaxAddrs          = 32
	MaxAddrLen        = 256
	MaxLabels         = 32
	MaxLabelKeyLen    = 64
	MaxLabelValueLen  = 128
	MaxWordLen        = 64 // arch, OS, version, a kind
	MaxKinds          = 16
	MaxCertificateLen = 1 << 10
	MaxCoordinateLen  = 128
	MaxCores          = 1 << 16
	MaxSpeed          = 1 << 20
)

// Clone returns a copy that shares nothing with r.
func (r Record) Clone() Record {
	r.Addrs = slices.Clone(r.Addrs)
	r.Labels = maps.Clone(r.Labels)
	r.Kinds = slices.Clone(r.Kinds)
	r.Certificate = slices.Clone(r.Certificate)
	r.Coordinate = slices.Clone(r.Coordinate)
	return r
}

// A LimitError says which part of a record, tag or datagram is beyond its limit.
type LimitError struct {
	What      string // "name", "address 3", "labels"
	Got, Most int
}

// Error says what is too much, and how much may be.
func (e *LimitError) Error() string {
	return fmt.Sprintf("core: %s: %d is more than %d", e.What, e.Got, e.Most)
}

func limit(what string, got, most int) error {
	if got > most {
		return &LimitError{what, got, most}
	}
	return nil
}

// Check returns what is wrong with r as a record to be announced: a *LimitError,
// or an error that names the field.
func (r *Record) Check() error {
	bounds := []error{
		limit("id", len(r.ID), MaxIDLen),
		limit("name", len(r.Name), MaxNameLen),
		limit("addresses", len(r.Addrs), MaxAddrs),
		limit("labels", len(r.Labels), MaxLabels),
		limit("kinds", len(r.Kinds), MaxKinds),
		limit("arch", len(r.Arch), MaxWordLen),
		limit("os", len(r.OS), MaxWordLen),
		limit("version", len(r.Version), MaxWordLen),
		limit("certificate", len(r.Certificate), MaxCertificateLen),
		limit("coordinate", len(r.Coordinate), MaxCoordinateLen),
		limit("cores", r.Cores, MaxCores),
		limit("speed", r.Speed, MaxSpeed),
	}
	for _, a := range r.Addrs {
		bounds = append(bounds, limit("an address", len(a), MaxAddrLen))
	}
	for _, k := range r.Kinds {
		bounds = append(bounds, limit("a kind", len(k), MaxWordLen))
	}
	for _, k := range slices.Sorted(maps.Keys(r.Labels)) {
		bounds = append(bounds, limit("a label's key", len(k), MaxLabelKeyLen), limit("label "+k, len(r.Labels[k]), MaxLabelValueLen))
	}
	for _, err := range bounds {
		if err != nil {
			return err
		}
	}
	switch {
	case r.ID == "":
		return fmt.Errorf("core: a record without an owner's ID")
	case r.Cores < 0 || r.Memory < 0 || r.Speed < 0:
		return fmt.Errorf("core: a record with %d cores of speed %d and %d bytes of memory", r.Cores, r.Speed, r.Memory)
	}
	return nil
}
