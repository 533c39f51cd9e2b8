package wire

import "errors"

// Garbage is the error for what no peer of the same version would send: its stream is closed, and counted.
type Garbage string

func (g Garbage) Error() string { return "wire: " + string(g) }

// IsGarbage tells whether an error is the peer's fault: what it sent is malformed, too long, or out of place.
func IsGarbage(err error) bool {
	var g Garbage
	var bad *badRecord
	var long *TooLong
	return errors.As(err, &g) || errors.As(err, &bad) || errors.As(err, &long)
}

// A badRecord is why a record could not be decoded.
type badRecord struct{ err error }

func (b *badRecord) Error() string { return b.err.Error() }
func (b *badRecord) Unwrap() error { return b.err }
