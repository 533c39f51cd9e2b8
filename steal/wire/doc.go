// Package wire is how processes that steal from each other write frames on a stream:
// the messages of package core and the records of the driver (what a job's tasks have in
// common, what each task is, long outputs).
//
// # On a stream
//
// Each direction of a stream begins with a preface (preface.go): magic, version,
// incarnation, epoch. Records follow: four bytes of length, big endian, and a msgpack
// array [tag, fields…]. Control streams carry records of at most 64 KiB, data streams of
// at most 1 MiB.
//
// # What is trusted
//
// Nothing. A record is checked (check.go) before it is decoded: its size, every declared
// length against the bytes that are left, depth, no extension types, no trailing bytes.
// Then each list is checked against its own limit and against the fewest bytes that its
// elements can take, so that decoding allocates a small multiple of the input at most
// (msgpack decoders by themselves can be made to allocate gigabytes by five bytes:
// vmihailenco/msgpack#401).
//
// # How it changes
//
// A struct is an array of its fields in order. A reader skips fields that it does not
// know at the end of any struct, so fields may be added there. Anything else raises the
// version in the preface.
//
// # One function for both directions
//
// coder has a function for each struct that names its fields once. Depending on the
// coder's direction it writes or reads them: what one side writes the other can read.
//
// A peer's ID is long and comes again and again in a frame: after the first time it is
// written as the number of its first appearance. Peers, labels, kinds and names of
// functions are interned when they are read.
//
// # Rejected
//
//   - Reflection and struct tags: arrays of struct tags need the exact number of fields, and
//     reflection costs five times as much.
//   - A table of strings before each frame: it needs two passes over the message.
//   - Fragments of frames: they keep everything behind them waiting. What is too long is
//     split into several frames that are complete by themselves (split.go).
package wire
