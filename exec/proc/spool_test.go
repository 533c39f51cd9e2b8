//go:build unix

package proc

import (
	"bytes"
	"context"
	"errors"
	"hash/crc64"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"

	"github.com/filchsched/filch/exec/task"
)

// 100 MB of output go through little memory, and come back unchanged.
func TestLargeOutputSpills(t *testing.T) {
	const size = 100 << 20
	eachStarter(t, func(t *testing.T, r *Runner) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		res := r.Run(context.Background(), Command{Shell: "yes 'a line of text' | head -c 104857600"})
		if res.State != task.Done || res.Stdout.Len() != size {
			t.Fatalf("%d bytes: %v", res.Stdout.Len(), res.Err)
		}
		sum := crc64.New(crc64.MakeTable(crc64.ISO))
		if n, err := res.Stdout.WriteTo(sum); n != size || err != nil {
			t.Errorf("wrote %d bytes: %v", n, err)
		}
		runtime.ReadMemStats(&after)
		if grew := after.TotalAlloc - before.TotalAlloc; grew > size/2 { // 20 MB under the race detector, which drains pools
			t.Errorf("allocated %d bytes on the way", grew)
		}
		want := crc64.New(crc64.MakeTable(crc64.ISO))
		io.WriteString(want, strings.Repeat("a line of text\n", size/15+1)[:size])
		if sum.Sum64() != want.Sum64() {
			t.Error("the output changed on the way")
		}
		if left, err := os.ReadDir(r.spillDir); err != nil || len(left) > 0 {
			t.Errorf("left in the spill directory: %v, %v", left, err)
		}
		res.Stderr.Close()
		if err := res.Stdout.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestMemoryLimitIsPerStream(t *testing.T) {
	r := newRunner(t, Config{MemoryPerStream: 10, SpillDir: t.TempDir()})
	for _, c := range []struct {
		n     int
		spill bool
	}{{0, false}, {9, false}, {10, false}, {11, true}, {200000, true}} {
		res := r.Run(context.Background(), Command{Argv: []string{"printf", "%*s", strconv.Itoa(c.n), ""}})
		if got := res.Stdout.file != nil; got != c.spill || res.Stderr.file != nil {
			t.Errorf("%d bytes: spilled %v", c.n, got)
		}
		if out := text(t, res.Stdout); out != strings.Repeat(" ", c.n) {
			t.Errorf("%d bytes came back as %d", c.n, len(out))
		}
	}
}

// Output that cannot be kept makes a failure of a command that succeeded, and
// no reader takes what is left for the whole.
func TestLostOutputIsReported(t *testing.T) {
	full := func() (*os.File, error) { return os.OpenFile("/dev/full", os.O_RDWR, 0) }
	none := func() (*os.File, error) { return nil, syscall.EACCES }
	for name, c := range map[string]struct {
		create func() (*os.File, error)
		cause  error
	}{"full": {full, syscall.ENOSPC}, "none": {none, syscall.EACCES}} {
		t.Run(name, func(t *testing.T) {
			s := &spool{limit: 4, create: c.create}
			for _, p := range []string{"abc", "def", "g"} {
				if n, err := s.Write([]byte(p)); n != len(p) || err != nil {
					t.Fatal(n, err)
				}
			}
			if s.lost != 4 || s.kept != 3 {
				t.Errorf("kept %d, lost %d", s.kept, s.lost)
			}
			capture := s.capture()
			b, err := io.ReadAll(capture.Reader())
			var own *Failure
			if string(b) != "abc" || !errors.As(err, &own) || !errors.Is(err, c.cause) {
				t.Errorf("read %q, %v", b, err)
			}
			var w bytes.Buffer
			if n, err := capture.WriteTo(&w); n != 3 || w.String() != "abc" || !errors.As(err, &own) {
				t.Errorf("wrote %q, %v", &w, err)
			}

			var res Result
			res.ended(ended{}, nil)
			res.outputLost(s.failure())
			if res.Exit != 125 || res.State != task.Failed || !errors.As(res.Err, &own) {
				t.Errorf("%+v", res.Outcome)
			}
		})
	}
}

// A full disk half way through: the command still ends, by itself.
func TestFullDiskDoesNotStopTheCommand(t *testing.T) {
	eachStarter(t, func(t *testing.T, r *Runner) {
		r.spillDir = "/no/such/directory"
		res := r.Run(context.Background(), Command{Shell: "head -c 1000000 /dev/zero && touch " + t.TempDir() + "/x && exit 9"})
		var own *Failure
		var exit *ExitError
		if res.Exit != 125 || !errors.As(res.Err, &own) || !errors.As(res.Err, &exit) || exit.Code != 9 {
			t.Errorf("exit %d: %v", res.Exit, res.Err)
		}
		if _, err := res.Stdout.WriteTo(io.Discard); !errors.As(err, &own) {
			t.Errorf("reading: %v", err)
		}
	})
}

func TestCaptureReads(t *testing.T) {
	for _, limit := range []int64{1, 100} {
		s := &spool{limit: limit, create: func() (*os.File, error) { return createSpill(t.TempDir()) }}
		s.Write([]byte("some "))
		s.Write([]byte("text"))
		c := s.capture()
		if err := iotest.TestReader(c.Reader(), []byte("some text")); err != nil {
			t.Errorf("limit %d: %v", limit, err)
		}
		for range 2 { // reading does not use it up
			var b bytes.Buffer
			if n, err := c.WriteTo(&b); n != 9 || err != nil || b.String() != "some text" {
				t.Errorf("limit %d: %d %v %q", limit, n, err, &b)
			}
		}
		if err := errors.Join(c.Close(), c.Close()); err != nil {
			t.Error(err)
		}
		if _, err := c.WriteTo(io.Discard); err != errCaptureClosed {
			t.Errorf("after Close: %v", err)
		}
		if c.Len() != 9 {
			t.Errorf("Len after Close is %d", c.Len())
		}
	}
}

func TestWriterErrorsComeBack(t *testing.T) {
	for _, limit := range []int64{1, 100} {
		s := &spool{limit: limit, create: func() (*os.File, error) { return createSpill(t.TempDir()) }}
		s.Write([]byte("some text"))
		c := s.capture()
		defer c.Close()
		r, w := io.Pipe()
		r.CloseWithError(syscall.EPIPE)
		if n, err := c.WriteTo(w); n != 0 || err != syscall.EPIPE {
			t.Errorf("limit %d: %d, %v", limit, n, err)
		}
	}
}

func TestNilCaptureIsEmpty(t *testing.T) {
	var c *Capture
	n, err := c.WriteTo(io.Discard)
	b, readErr := io.ReadAll(c.Reader())
	if n != 0 || len(b) != 0 || c.Len() != 0 || errors.Join(err, readErr, c.Close()) != nil {
		t.Error(n, b, c.Len(), err, readErr)
	}
}
