package nodes

import (
	"strconv"
	"time"
)

// Work is the name of the function that the program registers. It takes an Arg and returns a Value,
// both in JSON.
const Work = "work"

// A Request submits calls of Work at a node, one for each of Takes.
type Request struct {
	ID       int
	OneByOne bool            // as calls of their own; else as one job
	Takes    []time.Duration // how long each runs
	Dir      string          // where each leaves traces: lines of the files "called" and "returned"; "": none
	Payload  int             // bytes that each takes along
	Result   int             // bytes that each brings back
	Spin     bool            // keep a core busy for so long; else only wait
	Avoid    []string        // nodes that do not run them
	Local    bool            // only this node runs them
}

// A Reply says that all calls of a Request have returned. A process that writes one that is too long
// for a line fails; 64 MiB are enough.
type Reply struct {
	ID        int
	Error     string `json:",omitempty"` // of the submission
	Submitted time.Time
	Ends      []End // in the order in which they returned
}

// An End is a call that has returned.
type End struct {
	Index int
	Error string `json:",omitempty"`
	Value Value
}

// An Arg is the argument of Work.
type Arg struct {
	Index  int
	Takes  time.Duration
	Dir    string
	Result int
	Spin   bool
	Pad    string
}

// A Value is what Work returns.
type Value struct {
	Sum   uint32 // Sum of its index
	Node  string // that ran it, by name
	Seq   uint64 // how many calls began there before
	Begun time.Time
	Pad   string `json:",omitempty"`
}

// Sum is what follows from a task's number: FNV-1a of its digits.
func Sum(task int) uint32 {
	h := uint32(2166136261)
	for _, b := range []byte(strconv.Itoa(task)) {
		h = (h ^ uint32(b)) * 16777619
	}
	return h
}
