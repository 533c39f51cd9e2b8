package command

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/steal/wire"
)

// How many fields each has. More may follow.
const (
	headerFields = 8
	bodyFields   = 5
	resultFields = 16
)

// Append appends the encoding of h to b.
func (h *Header) Append(b []byte) ([]byte, error) {
	if err := h.check(); err != nil {
		return b, fmt.Errorf("command: a job's header has %w", err)
	}
	e := newEncoder(b, headerFields)
	e.text(h.Dir)
	e.flag(h.Anywhere)
	e.texts(h.Env)
	e.number(int64(h.Umask))
	e.number(int64(h.Timeout))
	e.number(int64(h.Cores))
	e.number(h.Memory)
	e.text(h.Job)
	return e.done(len(b), MaxHeader, "the environment of a command")
}

// DecodeHeader reads a Header.
func DecodeHeader(b []byte) (h Header, err error) {
	d, err := newDecoder(b, MaxHeader, headerFields)
	if err != nil {
		return h, fmt.Errorf("command: a job's header: %w", err)
	}
	h = Header{
		Dir: d.text(maxPath), Anywhere: d.flag(), Env: d.texts(maxEnv), Umask: int(d.number(-1, 0o777)),
		Timeout: time.Duration(d.number(0, math.MaxInt64)), Cores: int(d.number(0, math.MaxInt32)),
		Memory: d.number(0, math.MaxInt64), Job: d.text(maxName),
	}
	if d.err == nil {
		d.err = h.check()
	}
	if d.err != nil {
		return Header{}, fmt.Errorf("command: a job's header: %w", d.err)
	}
	return h, nil
}

// Append appends the encoding of c to b.
func (c *Body) Append(b []byte) ([]byte, error) {
	if err := c.check(); err != nil {
		return b, fmt.Errorf("command: %w", err)
	}
	e := newEncoder(b, bodyFields)
	e.texts(c.Argv)
	e.text(c.Line)
	e.unsigned(c.Seq)
	e.number(int64(c.Attempt))
	e.number(int64(c.Timeout))
	return e.done(len(b), MaxBody, "a command")
}

// DecodeBody reads a Body.
func DecodeBody(b []byte) (c Body, err error) {
	d, err := newDecoder(b, MaxBody, bodyFields)
	if err != nil {
		return c, fmt.Errorf("command: %w", err)
	}
	c = Body{
		Argv: d.texts(maxArgs), Line: d.text(MaxBody), Seq: d.unsigned(), Attempt: uint32(d.number(0, math.MaxUint32)),
		Timeout: time.Duration(d.number(0, math.MaxInt64)),
	}
	if d.err == nil {
		d.err = c.check()
	}
	if d.err != nil {
		return Body{}, fmt.Errorf("command: %w", d.err)
	}
	return c, nil
}

// Append appends the encoding of r to b.
func (r *Result) Append(b []byte) ([]byte, error) {
	if err := r.check(); err != nil {
		return b, fmt.Errorf("command: a result has %w", err)
	}
	e := newEncoder(b, resultFields)
	e.number(int64(r.State))
	e.text(r.Detail)
	e.number(int64(r.Exit))
	e.number(int64(r.Signal))
	e.text(r.Reason[:min(len(r.Reason), maxReason)])
	e.text(r.Host[:min(len(r.Host), maxName)])
	e.number(r.Start.UnixNano())
	e.number(int64(r.Wall))
	e.number(int64(r.Usage.User))
	e.number(int64(r.Usage.System))
	e.number(r.Usage.MaxMemory)
	e.number(r.OutLen)
	e.number(r.ErrLen)
	e.flag(r.Inline)
	e.bytes(r.Stdout)
	e.bytes(r.Stderr)
	return e.done(len(b), MaxResult, "the result of a command")
}

// DecodeResult reads a Result.
func DecodeResult(b []byte) (r Result, err error) {
	d, err := newDecoder(b, MaxResult, resultFields)
	if err != nil {
		return r, fmt.Errorf("command: a result: %w", err)
	}
	r = Result{
		State: task.State(d.number(0, math.MaxUint8)), Detail: d.text(maxName),
		Exit: int(d.number(math.MinInt32, math.MaxInt32)), Signal: int(d.number(0, math.MaxInt32)),
		Reason: d.text(maxReason), Host: d.text(maxName), Start: time.Unix(0, d.number(math.MinInt64, math.MaxInt64)),
		Wall: time.Duration(d.number(0, math.MaxInt64)),
		Usage: task.Usage{
			User: time.Duration(d.number(0, math.MaxInt64)), System: time.Duration(d.number(0, math.MaxInt64)),
			MaxMemory: d.number(0, math.MaxInt64),
		},
		OutLen: d.number(0, math.MaxInt64), ErrLen: d.number(0, math.MaxInt64), Inline: d.flag(),
		Stdout: d.bytes(MaxInline), Stderr: d.bytes(MaxInline),
	}
	if d.err == nil {
		d.err = r.check()
	}
	if d.err != nil {
		return Result{}, fmt.Errorf("command: a result: %w", d.err)
	}
	return r, nil
}

// An encoder appends values; the first error sticks.
type encoder struct {
	out []byte
	enc *msgpack.Encoder
	err error
}

func newEncoder(b []byte, fields int) *encoder {
	e := &encoder{out: b}
	e.enc = msgpack.NewEncoder(e)
	e.enc.UseCompactInts(true)
	e.keep(e.enc.EncodeArrayLen(fields))
	return e
}

// Write implements io.Writer.
func (e *encoder) Write(p []byte) (int, error) {
	e.out = append(e.out, p...)
	return len(p), nil
}

// WriteByte implements io.ByteWriter, for which msgpack looks.
func (e *encoder) WriteByte(b byte) error {
	e.out = append(e.out, b)
	return nil
}

func (e *encoder) keep(err error) {
	if e.err == nil {
		e.err = err
	}
}

// Text travels as it is, UTF-8 or not: arguments and variables are bytes to the kernel.
func (e *encoder) text(s string)     { e.keep(e.enc.EncodeString(s)) }
func (e *encoder) flag(v bool)       { e.keep(e.enc.EncodeBool(v)) }
func (e *encoder) number(v int64)    { e.keep(e.enc.EncodeInt(v)) }
func (e *encoder) unsigned(v uint64) { e.keep(e.enc.EncodeUint(v)) }

func (e *encoder) bytes(b []byte) {
	if b == nil {
		b = []byte{}
	}
	e.keep(e.enc.EncodeBytes(b))
}

func (e *encoder) texts(list []string) {
	e.keep(e.enc.EncodeArrayLen(len(list)))
	for _, s := range list {
		e.text(s)
	}
}

func (e *encoder) done(from, most int, what string) ([]byte, error) {
	if e.err == nil && len(e.out)-from > most {
		e.err = fmt.Errorf("%s has %d bytes, and %d can travel", what, len(e.out)-from, most)
	}
	if e.err != nil {
		return e.out[:from], fmt.Errorf("command: %w", e.err)
	}
	return e.out, nil
}

// A decoder reads values of an array that has been checked; the first error sticks, and
// what is read after it is zero.
type decoder struct {
	in  bytes.Reader
	dec *msgpack.Decoder
	buf []byte
	err error
}

var (
	errLong  = errors.New("longer than it may be")
	errShort = errors.New("fields are missing")
	errKind  = errors.New("something else than was expected")
)

func newDecoder(b []byte, most, fields int) (*decoder, error) {
	if len(b) > most {
		return nil, errLong
	}
	if err := wire.Check(b); err != nil {
		return nil, err
	}
	d := &decoder{buf: b}
	d.in.Reset(b)
	d.dec = msgpack.NewDecoder(&d.in)
	if d.list(math.MaxInt32) < fields && d.err == nil {
		d.err = errShort
	}
	return d, d.err
}

// next is the first byte of what comes; one that is never used after an error.
func (d *decoder) next() byte {
	const never = 0xc1
	if d.err != nil || d.in.Len() == 0 {
		return never
	}
	return d.buf[len(d.buf)-d.in.Len()]
}

func (d *decoder) fail(err error) {
	if d.err == nil {
		d.err = err
	}
}

// list reads the length of an array.
func (d *decoder) list(most int) int {
	if c := d.next(); c>>4 != 9 && c != 0xdc && c != 0xdd {
		d.fail(errKind)
		return 0
	}
	n, err := d.dec.DecodeArrayLen()
	if err == nil && n > most {
		err = errLong
	}
	if err != nil {
		d.fail(err)
		return 0
	}
	return n
}

func (d *decoder) texts(most int) []string {
	n := d.list(most)
	if n == 0 {
		return nil
	}
	list := make([]string, n)
	for i := range list {
		list[i] = d.text(MaxBody)
	}
	return list
}

func (d *decoder) text(most int) string {
	if c := d.next(); c>>5 != 5 && (c < 0xd9 || c > 0xdb) {
		d.fail(errKind)
		return ""
	}
	s, err := d.dec.DecodeString()
	if err == nil && len(s) > most {
		err = errLong
	}
	if err != nil {
		d.fail(err)
		return ""
	}
	return s
}

func (d *decoder) bytes(most int) []byte {
	if c := d.next(); c < 0xc4 || c > 0xc6 {
		d.fail(errKind)
		return nil
	}
	b, err := d.dec.DecodeBytes()
	if err == nil && len(b) > most {
		err = errLong
	}
	if err != nil {
		d.fail(err)
		return nil
	}
	return b
}

func (d *decoder) flag() bool {
	if c := d.next(); c != 0xc2 && c != 0xc3 {
		d.fail(errKind)
		return false
	}
	v, err := d.dec.DecodeBool()
	if err != nil {
		d.fail(err)
	}
	return v
}

// number reads a number from lo to hi.
func (d *decoder) number(lo, hi int64) int64 {
	c := d.next()
	switch {
	case c <= 0x7f || c >= 0xe0 || c >= 0xd0 && c <= 0xd3:
		v, err := d.dec.DecodeInt64()
		if err == nil && (v < lo || v > hi) {
			err = fmt.Errorf("the number %d is not between %d and %d", v, lo, hi)
		}
		if err != nil {
			d.fail(err)
			return 0
		}
		return v
	case c >= 0xcc && c <= 0xcf:
		v := d.unsigned()
		if v > uint64(max(hi, 0)) || int64(v) < lo {
			d.fail(fmt.Errorf("the number %d is not between %d and %d", v, lo, hi))
			return 0
		}
		return int64(v)
	}
	d.fail(errKind)
	return 0
}

func (d *decoder) unsigned() uint64 {
	if c := d.next(); c > 0x7f && (c < 0xcc || c > 0xcf) {
		d.fail(errKind)
		return 0
	}
	v, err := d.dec.DecodeUint64()
	if err != nil {
		d.fail(err)
	}
	return v
}
