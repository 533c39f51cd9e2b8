package home

import (
	"io"

	"github.com/filchsched/filch/steal"
	"github.com/filchsched/filch/steal/core"
)

// The names of a task's outputs, as steal.Output has them.
const (
	Result uint8 = 0 // what a function returned, if it is long
	Stdout uint8 = 1
	Stderr uint8 = 2
)

// output is what is kept of what a task printed or returned.
type output struct {
	result  []byte
	text    [2][]byte // standard output and error
	length  [2]int64  // of all of it
	dropped bool      // there was no room for it, or it made room for another
	signal  int       // 128 and the signal that ended a command; 0: none
	reason  string
}

func (o *output) size() int64 {
	return int64(len(o.result) + len(o.text[0]) + len(o.text[1]))
}

// keep reads what is kept of the outputs of a commit, and closes them.
func (j *Job) keep(c core.Commit, outputs []steal.Output) map[uint32]*output {
	defer closeAll(outputs)
	kept := make(map[uint32]*output)
	of := func(index uint64) *output {
		k := kept[uint32(index)]
		if k == nil {
			k = new(output)
			kept[uint32(index)] = k
		}
		return k
	}
	for i, v := range c.Values {
		if len(v) > 0 {
			j.keepValue(of(c.Piece.Lo+uint64(i)), v)
		}
	}
	for _, o := range outputs {
		if o.Index < c.Piece.Lo || o.Index >= c.Piece.Hi || o.Data == nil {
			continue
		}
		k, most := of(o.Index), int64(MaxKept)
		to := &k.result
		switch o.Name {
		case Stdout, Stderr:
			to = &k.text[o.Name-1]
			k.length[o.Name-1] = o.Data.Len()
		case Result:
			most = MaxResult
		default:
			continue
		}
		b, err := io.ReadAll(io.LimitReader(o.Data.Reader(), most))
		k.dropped = k.dropped || err != nil || o.Name == Result && o.Data.Len() > most
		j.put(k, to, b)
	}
	return kept
}

// keepValue keeps what came with the outcome itself.
func (j *Job) keepValue(k *output, v []byte) {
	if j.open == nil {
		j.put(k, &k.result, v)
		return
	}
	p, err := j.open(v)
	if err != nil {
		k.reason = err.Error()
		return
	}
	if k.reason = p.Reason; p.Signal > 0 {
		k.signal = 128 + p.Signal
	}
	for i, b := range [][]byte{p.Stdout, p.Stderr} {
		k.length[i] = int64(len(b))
		j.put(k, &k.text[i], b[:min(len(b), MaxKept)])
	}
}

// put keeps b as a part of an output, if there is room.
func (j *Job) put(k *output, to *[]byte, b []byte) {
	if !j.table.makeRoom(int64(len(b))) {
		k.dropped = true
		return
	}
	*to = b
}

// dropKept lets go of all outputs and returns how many bytes that was. The table's mu is
// held.
func (j *Job) dropKept() (size int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, k := range j.outputs {
		size += k.size()
		k.dropped = k.dropped || k.size() > 0
		k.result, k.text = nil, [2][]byte{}
	}
	return size
}

// readResult reads what a function returned from an output that travelled by itself.
func readResult(outputs []steal.Output, index uint64) ([]byte, error) {
	for _, o := range outputs {
		if o.Index != index || o.Name != Result || o.Data == nil {
			continue
		}
		if o.Data.Len() > MaxResult {
			return nil, tooMany("bytes of a result", int(o.Data.Len()), MaxResult)
		}
		return io.ReadAll(o.Data.Reader())
	}
	return nil, nil
}
