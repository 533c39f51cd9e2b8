package proc

import (
	"encoding/binary"
	"errors"
	"math"
)

// A request asks the supervisor to start a command. It travels as one packet,
// together with the descriptors below; how the command fared comes back on
// the pipe that is one of them, as a finished.
type request struct {
	path, dir string
	argv, env []string
	slot      int  // on the board
	group     int  // the process group to be in; 0: one of its own
	umask     int  // -1: the supervisor's
	entering  int  // how many descriptors of cgroups follow the fixed ones
	unified   bool // they are of version 2
}

// The descriptors that come with every request, in this order. Behind them come those of
// cgroups, and last, in a packet of oversize, the file that holds the request.
const (
	passedStdin = iota
	passedStdout
	passedStderr
	passedReport // the supervisor writes to it
	passedFixed
)

const (
	// packetMax bounds what goes through the socket at once. Nearly every request
	// is below; larger ones go through a file, because the kernel's bound on a packet is
	// the system's to set.
	packetMax = 64 << 10

	// requestMax is beyond anything the kernel starts: it takes 6 MiB of
	// arguments and environment at most.
	requestMax = 64 << 20

	// enteringMax: two controllers of cgroup v1, with the way in and the way out of each.
	enteringMax = 4

	passedMax = passedFixed + enteringMax + 1
)

// oversize is all of a packet whose request is in the last file that came with it.
const oversize = "F"

var errGarbled = errors.New("proc: a request to the supervisor is garbled")

// append encodes q.
func (q *request) append(b []byte) []byte {
	b = append(b, 'S')
	b = appendText(b, q.path)
	b = appendText(b, q.dir)
	b = binary.AppendUvarint(b, uint64(q.slot))
	b = binary.AppendUvarint(b, uint64(q.group))
	b = binary.AppendVarint(b, int64(q.umask))
	b = binary.AppendUvarint(b, uint64(q.entering))
	b = append(b, 0)
	if q.unified {
		b[len(b)-1] = 1
	}
	for _, list := range [][]string{q.argv, q.env} {
		b = binary.AppendUvarint(b, uint64(len(list)))
		for _, s := range list {
			b = appendText(b, s)
		}
	}
	return b
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// parseRequest decodes what append made. The strings share one copy of b.
func parseRequest(b []byte) (*request, error) {
	d := decoder{rest: string(b)}
	if d.byte() != 'S' {
		return nil, errGarbled
	}
	q := &request{path: d.text(), dir: d.text(), slot: int(d.uvarint(boardSlots - 1)), group: int(d.uvarint(math.MaxInt32)), umask: int(d.varint()), entering: int(d.uvarint(enteringMax)), unified: d.uvarint(1) == 1}
	q.argv = d.list()
	q.env = d.list()
	if d.bad || d.rest != "" || q.umask < -1 || q.umask > 0o777 || !q.unified && q.entering%2 != 0 {
		return nil, errGarbled
	}
	return q, nil
}

// A decoder takes values off the front of rest. After the first one that is not
// there bad is set, and everything is zero.
type decoder struct {
	rest string
	bad  bool
}

func (d *decoder) byte() byte {
	if d.rest == "" {
		d.bad = true
		return 0
	}
	c := d.rest[0]
	d.rest = d.rest[1:]
	return c
}

func (d *decoder) uvarint(most uint64) uint64 {
	var v uint64
	for shift := 0; shift < 64; shift += 7 {
		c := d.byte()
		v |= uint64(c&0x7f) << shift
		if c < 0x80 {
			if v > most || d.bad {
				break
			}
			return v
		}
	}
	d.bad = true
	return 0
}

func (d *decoder) varint() int64 {
	v := d.uvarint(math.MaxUint64)
	return int64(v>>1) ^ -int64(v&1)
}

func (d *decoder) text() string {
	n := d.uvarint(uint64(len(d.rest)))
	if d.bad || n > uint64(len(d.rest)) {
		d.bad = true
		return ""
	}
	s := d.rest[:n]
	d.rest = d.rest[n:]
	return s
}

// list decodes a list of strings, each of which takes a byte at least.
func (d *decoder) list() []string {
	n := d.uvarint(uint64(len(d.rest)))
	if d.bad {
		return nil
	}
	list := make([]string, 0, n)
	for range n {
		list = append(list, d.text())
	}
	return list
}

// A finished says how a command ended: what wait4 told the supervisor. It is all
// that comes through the report pipe, and arrives whole or not at all, for it is
// smaller than what a pipe takes in one piece.
type finished struct {
	Errno                   uint32 // not 0: it did not start, and this is why
	Status                  uint32
	User, System            int64 // nanoseconds
	MaxRSS                  int64 // bytes
	Floor                   int64 // bytes; a MaxRSS up to this may be the supervisor's own
	BytesRead, BytesWritten int64 // from and to storage
	Leashed                 int64 // 1: its leash was over, and it was told to end
}

const finishedSize = 2*4 + 7*8

func (f *finished) encode() []byte {
	e := binary.NativeEndian
	b := e.AppendUint32(make([]byte, 0, finishedSize), f.Errno)
	b = e.AppendUint32(b, f.Status)
	for _, v := range []int64{f.User, f.System, f.MaxRSS, f.Floor, f.BytesRead, f.BytesWritten, f.Leashed} {
		b = e.AppendUint64(b, uint64(v))
	}
	return b
}

// decode is the inverse of encode; b has finishedSize bytes.
func (f *finished) decode(b []byte) {
	e := binary.NativeEndian
	f.Errno, f.Status = e.Uint32(b), e.Uint32(b[4:])
	for i, v := range []*int64{&f.User, &f.System, &f.MaxRSS, &f.Floor, &f.BytesRead, &f.BytesWritten, &f.Leashed} {
		*v = int64(e.Uint64(b[8+8*i:]))
	}
}
