//go:build unix

package main

import (
	"context"
	"io"
	"os"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/filchsched/filch/cmd/filch/parallel"
)

// watchReader returns a writer to out that notices when the reader of a pipe
// goes away, even while there is nothing to write: `filch run … | head -1` has the
// line it wants and should not wait for a command that prints in an hour.
//
// It starts to look after the first write. A run that prints nothing is not ended
// because nobody is there to read nothing.
func watchReader(out *os.File, stop context.CancelCauseFunc) io.Writer {
	info, err := out.Stat()
	if err != nil || info.Mode()&(os.ModeNamedPipe|os.ModeSocket) == 0 {
		return out
	}
	return &watched{out: out, stop: stop}
}

type watched struct {
	out  *os.File
	stop context.CancelCauseFunc
	once sync.Once
}

func (w *watched) Write(p []byte) (int, error) {
	n, err := w.out.Write(p)
	w.once.Do(func() { go w.watch(int(w.out.Fd())) })
	return n, err
}

// watch blocks until the other end is closed. It needs no end of its own: it
// lives as long as the process, on a thread that sleeps in the kernel.
func (w *watched) watch(fd int) {
	set := []unix.PollFd{{Fd: int32(fd)}}
	for {
		n, err := unix.Poll(set, -1)
		if err == unix.EINTR {
			continue
		}
		if err == nil && n == 1 && set[0].Revents&(unix.POLLERR|unix.POLLHUP) != 0 {
			w.stop(&parallel.WriteError{Stream: "standard output", Err: unix.EPIPE})
		}
		return
	}
}
