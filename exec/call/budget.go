package call

import (
	"errors"
	"fmt"
	"strings"
)

// Bounds of one value that a user's type is encoded to or decoded from.
const (
	// MaxValue is the longest encoding in bytes. It is what a node accepts as a result; arguments, which
	// wait in tables, are bounded lower by who keeps them.
	MaxValue = 64 << 20

	// MaxDepth is how many arrays, maps, structs and customs decoders may be nested in a value. Who
	// encodes and who decodes recurses once per level, so a stack bounds it somewhere, and a cyclic value, which would end the
	// process, is told apart from a deep one by nothing else. Lists as linked nodes are what meets it: slices do not.
	MaxDepth = 64

	// perByte and headroom bound what a value may take in memory once it is decoded: 32 bytes for each byte of
	// the encoding, and 1 MiB. The largest honest ratio is 24: an empty slice is one byte, and its header in a
	// slice of slices 24; strings, interfaces and pointers are below. What goes beyond is a slice of large structs sent
	// as so many empty ones: 100 KB that decode to 51 MB. It is counted as element count times element size,
	// before anything is allocated; the slack that maps keep (up to fourfold for maps of one entry) is not counted.
	perByte  = 32
	headroom = 1 << 20
)

// What a ValueError may wrap.
var (
	// ErrTooLarge is wrapped by the error of a value that is beyond MaxValue, MaxDepth, or the memory that
	// its encoding may decode to.
	ErrTooLarge = errors.New("too large")
	// ErrMalformed is wrapped by the error of what is no MessagePack, or is cut off, or has bytes after its end.
	ErrMalformed = errors.New("malformed")
	// ErrType is wrapped by the error of a well-formed value that does not fit its Go type.
	ErrType = errors.New("wrong type")
)

// A ValueError says where in a value what is wrong.
type ValueError struct {
	Root string // what the value is: "argument", "result"; "" is "value"
	Path string // from the root: ".Items[3].Price"; "" is the root itself
	What string // "a string where a number is needed"
	Err  error  // the kind, or what the type's own encoder or decoder returned
}

// Error tells all of it.
func (e *ValueError) Error() string {
	root := e.Root
	if root == "" {
		root = "value"
	}
	return root + e.Path + ": " + e.What
}

// Unwrap returns the kind.
func (e *ValueError) Unwrap() error { return e.Err }

// Of names the value that an error of a Codec is about, and returns the error.
func Of(root string, err error) error {
	var v *ValueError
	if errors.As(err, &v) && v.Root == "" {
		v.Root = root
	}
	return err
}

// maxPath bounds a path in bytes: keys of maps are in it, which are somebody else's.
const maxPath = 256

// under puts a step in front of the path of an error.
func under(step string, err error) error {
	if v, ok := err.(*ValueError); ok && len(v.Path)+len(step) <= maxPath {
		v.Path = step + v.Path
	}
	return err
}

func wrongType(format string, args ...any) error {
	return &ValueError{What: fmt.Sprintf(format, args...), Err: ErrType}
}

func tooLarge(format string, args ...any) error {
	return &ValueError{What: fmt.Sprintf(format, args...), Err: ErrTooLarge}
}

func malformed(what string) error { return &ValueError{What: what, Err: ErrMalformed} }

// quoted is a key as it stands in a path.
func quoted(key string) string {
	if len(key) > 32 {
		key = strings.ToValidUTF8(key[:32], "") + "…"
	}
	return fmt.Sprintf("[%q]", key)
}
