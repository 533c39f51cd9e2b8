package steal

import (
	"io"
	"time"

	"github.com/filchsched/filch/steal/core"
)

// An Executor runs tasks on this process's cores. The driver calls it from one goroutine;
// none of its methods may block.
type Executor interface {
	// Wants tells whether Start needs Header and Bodies for the tasks of a job. It need not
	// for those of its own process, or of a guest that executes them itself.
	Wants(core.JobID) bool
	// Start begins to run the tasks of a piece, in rising order, and calls end once, from any
	// goroutine, when all have ended, by themselves, by Halt, or by their leash.
	Start(r Run, end func(End))
	// Halt stops a piece as fast as can be; its end follows in any case.
	Halt(p core.Piece)
	// Leash moves a deadline, in the driver's clock. What runs under it must be dead by then even
	// if this process is frozen.
	Leash(key uint64, until time.Duration)
}

// A Run is a piece to run and what it is.
type Run struct {
	core.Run
	Header []byte   // what the tasks of the job have in common
	Bodies [][]byte // one for each index; nil if the Executor does not want them
}

// An End is how a run ended.
type End struct {
	core.Finished
	// ByHome says that the task's home has ended it here and knows the outcome: it is
	// told to the state machine as RanByHome.
	ByHome bool
	// Outputs are what is too long for Values. They belong to the driver, which closes them.
	Outputs []Output
}

// An Output is a long output of a task: bytes that are read when they travel or are committed. Name tells a
// task's outputs apart (1: standard output, 2: standard error).
type Output struct {
	Index uint64
	Name  uint8
	Data  Blob
}

// A Blob is a long value, in memory or in a file. Reader may be called several times, until Close.
type Blob interface {
	Len() int64
	Reader() io.Reader
	Close() error
}
