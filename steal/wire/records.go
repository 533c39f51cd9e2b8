package wire

import (
	"fmt"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/filchsched/filch/steal/core"
)

// A Record is what one frame on a stream carries: one of the structs below.
type Record interface{ record() }

const (
	tagHeader = iota + 64
	tagBodies
	tagFetch
	tagMissing
	tagChunk
)

type (
	// Frame is a message of core. More: the next frame has more parts of the same grant,
	// which is one to core. Outputs is how many outputs belong to a report and have come
	// before it on the same stream.
	Frame struct {
		core.Frame
		More    bool
		Outputs uint32
	}
	// Header is what all tasks of a job have in common.
	Header struct {
		Job  core.JobID
		Data []byte
	}
	// Bodies are what the tasks from Lo on are, one for each.
	Bodies struct {
		Job  core.JobID
		Lo   uint64
		Data [][]byte
	}
	// Fetch asks for the bodies of a span, as many from its beginning as the other side likes to
	// send at once but at least one, and perhaps for the header. The answers are Header,
	// Bodies, Chunk (of a long one), or Missing.
	Fetch struct {
		N      uint64 // counted per stream; named by Missing
		Job    core.JobID
		Span   core.Span
		Header bool
	}
	// Missing says that a Fetch cannot be answered, and ends those that are: why is
	// empty then.
	Missing struct {
		N   uint64
		Job core.JobID
		Why string
	}
	// Chunk is a part of a long output of a task, or of its body.
	Chunk struct {
		Job     core.JobID
		Index   uint64
		Attempt core.Attempt
		Name    uint8 // tells a task's outputs apart; see NameBody
		Offset  int64
		Last    bool
		Data    []byte
	}
)

// Alive as the number of Missing says that a part of an output has come; 1 that the report has, which
// ends the answer to it.
const Alive = 0

// Names of chunks that are not outputs.
const (
	NameValue  = 253 // a value that is too long for a report
	NameHeader = 254 // of a job, in answer to Fetch
	NameBody   = 255 // of a task, in answer to Fetch
)

func (Frame) record()   {}
func (Header) record()  {}
func (Bodies) record()  {}
func (Fetch) record()   {}
func (Missing) record() {}
func (Chunk) record()   {}

func (c *coder) header(r *Header) {
	c.job(&r.Job)
	c.bytes(&r.Data, MaxData)
}

func (c *coder) bodies(r *Bodies) {
	c.job(&r.Job)
	c.u64(&r.Lo)
	list(c, &r.Data, maxBodies, 1, (*coder).value)
}

func (c *coder) fetch(r *Fetch) {
	c.u64(&r.N)
	c.job(&r.Job)
	c.span(&r.Span)
	c.bool(&r.Header)
}

func (c *coder) missing(r *Missing) {
	c.u64(&r.N)
	c.job(&r.Job)
	c.text(&r.Why, maxText)
}

func (c *coder) chunk(r *Chunk) {
	c.job(&r.Job)
	c.u64(&r.Index)
	c.attempt(&r.Attempt)
	c.u8(&r.Name)
	c.i64(&r.Offset)
	if r.Offset < 0 {
		c.failf("a chunk at %d", r.Offset)
	}
	c.bool(&r.Last)
	c.bytes(&r.Data, MaxChunk)
}

// plain writes or reads a record that is no frame.
func (c *coder) plain(tag uint64, fields int, rest func()) {
	x := c.extra
	if !c.reading {
		c.open(1 + fields)
		c.u64(&tag)
	} else {
		x -= fields - 1
		if x < 0 {
			c.failf("a record of kind %d is too short", tag)
		}
	}
	rest()
	c.close(x)
}

const (
	headerFields  = 3
	bodiesFields  = 4
	fetchFields   = 6
	missingFields = 4
	chunkFields   = 9
)

// An Encoder writes records. It is not safe for concurrent use.
type Encoder struct {
	c     coder
	probe []byte // where split tries lengths
}

// NewEncoder returns an encoder.
func NewEncoder() *Encoder {
	e := new(Encoder)
	e.c.enc = msgpack.NewEncoder(&e.c)
	return e
}

// Append appends a record, with its length before it, to b and returns it. It fails,
// with b as it was, when the record is longer than most.
func (e *Encoder) Append(b []byte, r Record, most int) ([]byte, error) {
	c := &e.c
	at := len(b)
	c.out, c.err, c.peers = append(b, 0, 0, 0, 0), nil, c.peers[:0]
	switch r := r.(type) {
	case Frame:
		c.write(&r)
	case Header:
		c.plain(tagHeader, headerFields, func() { c.header(&r) })
	case Bodies:
		c.plain(tagBodies, bodiesFields, func() { c.bodies(&r) })
	case Fetch:
		c.plain(tagFetch, fetchFields, func() { c.fetch(&r) })
	case Missing:
		c.plain(tagMissing, missingFields, func() { c.missing(&r) })
	case Chunk:
		c.plain(tagChunk, chunkFields, func() { c.chunk(&r) })
	default:
		c.failf("no encoding for %T", r)
	}
	b, c.out = c.out, nil
	size := len(b) - at - lengthSize
	if c.err == nil && size > most {
		c.err = &TooLong{Size: size, Most: most}
	}
	if c.err != nil {
		return b[:at], c.err
	}
	putLength(b[at:], size)
	return b, nil
}

// TooLong is the error for a record that is longer than its stream allows.
type TooLong struct{ Size, Most int }

func (t *TooLong) Error() string {
	return fmt.Sprintf("wire: a record of %d bytes: at most %d", t.Size, t.Most)
}

// A Decoder reads records. It keeps the names that it has seen, so that they are not
// allocated again. It is not safe for concurrent use.
type Decoder struct{ c coder }

// NewDecoder returns a decoder.
func NewDecoder() *Decoder {
	d := new(Decoder)
	d.c.reading = true
	d.c.names = make(map[string]string)
	d.c.dec = msgpack.NewDecoder(&d.c.in)
	return d
}

// Decode checks and reads a record, without its length. The record does not refer to b
// afterwards. Unknown kinds of records are errors: which there are is part of the version.
func (d *Decoder) Decode(b []byte) (Record, error) {
	if err := check(b); err != nil {
		return nil, &badRecord{err}
	}
	c := &d.c
	c.buf, c.err, c.peers, c.arena = b, nil, c.peers[:0], nil
	c.in.Reset(b)
	r := c.record()
	c.buf, c.arena = nil, nil
	c.in.Reset(nil)
	if c.err != nil {
		return nil, &badRecord{c.err}
	}
	return r, nil
}

func (c *coder) record() Record {
	c.extra = c.open(2) - (frameFields - 2)
	tag := c.uint(255)
	if tag < tagHeader {
		var f Frame
		if c.extra < 0 && c.err == nil {
			c.failf("a frame is too short")
		}
		if c.err == nil && !c.read(tag, &f) {
			c.failf("a record of unknown kind %d", tag)
		}
		return f
	}
	c.extra += frameFields - 2
	switch tag {
	case tagHeader:
		var r Header
		c.plain(tag, headerFields, func() { c.header(&r) })
		return r
	case tagBodies:
		var r Bodies
		c.plain(tag, bodiesFields, func() { c.bodies(&r) })
		return r
	case tagFetch:
		var r Fetch
		c.plain(tag, fetchFields, func() { c.fetch(&r) })
		return r
	case tagMissing:
		var r Missing
		c.plain(tag, missingFields, func() { c.missing(&r) })
		return r
	case tagChunk:
		var r Chunk
		c.plain(tag, chunkFields, func() { c.chunk(&r) })
		return r
	}
	c.failf("a record of unknown kind %d", tag)
	return nil
}
