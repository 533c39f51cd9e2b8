package proc

import (
	"errors"
	"os"
)

// pipeHolds is what a pipe takes on every system, however many pipes there are,
// before its writer has to wait.
const pipeHolds = 4096

// errTwoInputs says that a Command has two things for one stream.
var errTwoInputs = errors.New("both Stdin and Input are set")

// standardInput opens what c reads. drop is for when the command has it, or did not start.
func (r *Runner) standardInput(c *Command) (in *os.File, drop func(), err error) {
	switch {
	case c.Stdin != nil && c.Input != nil:
		err = errTwoInputs
	case c.Stdin != nil && c.Stdin.Fd() == noFile:
		err = os.ErrClosed
	case c.Stdin != nil:
		return c.Stdin, func() {}, nil
	case len(c.Input) == 0:
		return r.null, func() {}, nil
	case len(c.Input) <= pipeHolds:
		in, err = inputPipe(c.Input)
		drop = func() { in.Close() }
	default:
		in, err = r.inputFile(c.Input)
		drop = func() { closeSpill(in) }
	}
	if err != nil {
		return nil, nil, &Failure{Op: "cannot pass standard input to a command", Err: err}
	}
	return in, drop, nil
}

// inputPipe returns the reading end of a pipe that holds data and nothing after it.
func inputPipe(data []byte) (*os.File, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer w.Close()
	if _, err := w.Write(data); err != nil {
		r.Close()
		return nil, err
	}
	r.Fd() // makes it blocking, as a command expects it
	return r, nil
}

// inputFile returns a file without a name that holds data.
func (r *Runner) inputFile(data []byte) (*os.File, error) {
	f, err := createSpill(r.spillDir)
	if err != nil {
		return nil, err
	}
	_, err = f.Write(data)
	if err == nil {
		_, err = f.Seek(0, 0)
	}
	if err != nil {
		closeSpill(f)
		return nil, err
	}
	return f, nil
}
