package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/filchsched/filch/testbed/nodes"
)

// A worker is the node's part in the function.
type worker struct {
	name string
	seq  atomic.Uint64
}

func (w *worker) work(ctx context.Context, args []byte) ([]byte, error) {
	var a nodes.Arg
	if err := json.Unmarshal(args, &a); err != nil {
		return nil, err
	}
	v := nodes.Value{Sum: nodes.Sum(a.Index), Node: w.name, Seq: w.seq.Add(1) - 1, Begun: time.Now(), Pad: strings.Repeat(".", a.Result)}
	if err := note(a.Dir, "called", a.Index, w.name); err != nil {
		return nil, err
	}
	if err := pass(ctx, a.Takes, a.Spin); err != nil {
		return nil, err
	}
	if err := note(a.Dir, "returned", a.Index, w.name); err != nil {
		return nil, err
	}
	return json.Marshal(v)
}

// pass lets time go by, on a core or beside it.
func pass(ctx context.Context, d time.Duration, spin bool) error {
	if spin {
		for begun := time.Now(); time.Since(begun) < d; {
		}
		return ctx.Err()
	}
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// note appends a line to a file; lines of several processes do not mix.
func note(dir, file string, task int, name string) error {
	if dir == "" {
		return nil
	}
	f, err := os.OpenFile(filepath.Join(dir, file), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = fmt.Fprintln(f, task, name)
	return err
}
