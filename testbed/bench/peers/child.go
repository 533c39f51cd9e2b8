package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/filchsched/filch/exec/proc"
	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/node"
)

// A request is what the parent asks a child for, one line of JSON each.
type request struct {
	Do       string        // what serve knows
	N        int           // how many
	Size     int           // bytes
	Back     int           // bytes of the answer, where it is not as long
	InFlight int           // calls at once
	On       []string      // nodes that run them; none: anybody
	Local    bool          // only this node runs them
	Each     time.Duration // of a task that spins or sleeps
	To       string        // where the raw echo is, or at which address it is to be
}

// A reply answers it.
type reply struct {
	Error  string            `json:",omitempty"`
	Took   time.Duration     // all of it
	P50    time.Duration     `json:",omitempty"`
	P99    time.Duration     `json:",omitempty"`
	Ran    map[string]int    `json:",omitempty"` // tasks by node
	Text   string            `json:",omitempty"`
	Counts map[string]uint64 `json:",omitempty"`
}

// child is the life of a node: its join string first, then an answer to each request.
func child(ctx context.Context, name, join, listen string) error {
	proc.Supervise()
	runtime.GOMAXPROCS(2) // one worker and the network
	c := node.Config{Name: name, Listen: []string{listen + ":0"}, Workers: 1, Functions: map[string]node.Function{
		"sum": sum, "echo": echo, "spin": spin, "sleep": sleep, "when": when,
	}}
	if join != "" {
		c.Join = []string{join}
	}
	n, err := node.Start(ctx, c)
	if err != nil {
		return err
	}
	defer n.Drain(context.Background())
	text, err := n.JoinString(ctx)
	if err != nil {
		return err
	}
	out := json.NewEncoder(os.Stdout)
	if err := out.Encode(reply{Text: text}); err != nil {
		return err
	}
	in := json.NewDecoder(bufio.NewReader(os.Stdin))
	for {
		var q request
		if err := in.Decode(&q); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		r, err := serve(ctx, n, &q)
		if err != nil {
			r.Error = err.Error()
		}
		if err := out.Encode(r); err != nil {
			return err
		}
	}
}

// sum adds the halves of its argument.
func sum(_ context.Context, args []byte) ([]byte, error) {
	if len(args) != 16 {
		return nil, fmt.Errorf("%d bytes", len(args))
	}
	return binary.BigEndian.AppendUint64(nil, binary.BigEndian.Uint64(args)+binary.BigEndian.Uint64(args[8:])), nil
}

func echo(_ context.Context, args []byte) ([]byte, error) { return slices.Clone(args), nil }

// when tells when it runs.
func when(context.Context, []byte) ([]byte, error) {
	return binary.BigEndian.AppendUint64(nil, uint64(time.Now().UnixNano())), nil
}

// spin keeps a core busy for as long as its argument says.
func spin(_ context.Context, args []byte) ([]byte, error) {
	d, err := strconv.ParseInt(string(args), 10, 64)
	if err != nil {
		return nil, err
	}
	for begun := time.Now(); time.Since(begun) < time.Duration(d); {
	}
	return nil, nil
}

func serve(ctx context.Context, n *node.Node, q *request) (reply, error) {
	switch q.Do {
	case "members":
		var r reply
		for _, m := range n.Members() {
			if m.State == "alive" && m.Cores > 0 {
				r.Text += m.Name + " "
			}
		}
		return r, nil
	case "calls":
		return calls(ctx, n, q)
	case "job":
		return job(ctx, n, q)
	case "echo":
		return oneByOne(ctx, n, q)
	case "spin", "sleep":
		return spins(ctx, n, q)
	case "first":
		return first(ctx, n, q)
	case "rawserve":
		return rawServe(q.To)
	case "raw":
		return raw(q)
	case "streamserve":
		return streamServe(q)
	case "stream":
		return stream(ctx, q)
	case "counts":
		s, err := n.Steals(ctx)
		return reply{Counts: s.Totals}, err
	}
	return reply{}, fmt.Errorf("unknown request %q", q.Do)
}

// calls calls a function N times, separately, with distinct arguments, and checks every result.
func calls(ctx context.Context, n *node.Node, q *request) (reply, error) {
	c, err := n.Calls(ctx, node.CallOptions{Function: "sum", Common: node.Common{Where: node.Where{On: q.On, Local: q.Local}}})
	if err != nil {
		return reply{}, err
	}
	free := make(chan struct{}, q.InFlight)
	for range q.InFlight {
		free <- struct{}{}
	}
	var wrong atomic.Int64
	args := make([]byte, 16*q.N)
	begun := time.Now()
	for i := range q.N {
		<-free
		a := args[16*i : 16*i+16]
		binary.BigEndian.PutUint64(a, uint64(i))
		binary.BigEndian.PutUint64(a[8:], uint64(i)*3)
		err := c.Go(ctx, a, func(result []byte, err error) {
			if err != nil || len(result) != 8 || binary.BigEndian.Uint64(result) != uint64(i)*4 {
				wrong.Add(1)
			}
			free <- struct{}{}
		})
		if err != nil {
			return reply{}, err
		}
	}
	for range q.InFlight {
		<-free
	}
	r := reply{Took: time.Since(begun)}
	if w := wrong.Load(); w > 0 {
		return r, fmt.Errorf("%d results are wrong", w)
	}
	return r, nil
}

// job submits N calls with distinct arguments as one job, which travels in ranges, and checks every result.
func job(ctx context.Context, n *node.Node, q *request) (reply, error) {
	args := make([][]byte, q.N)
	for i := range args {
		args[i] = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(make([]byte, 0, 16), uint64(i)), uint64(i)*3)
	}
	begun := time.Now()
	j, err := n.SubmitCalls(ctx, node.CallJob{Common: node.Common{Where: node.Where{On: q.On}}, Function: "sum", Args: args})
	if err != nil {
		return reply{}, err
	}
	if err := j.Wait(ctx); err != nil {
		return reply{}, err
	}
	r := reply{Took: time.Since(begun)}
	for o := range j.Results(ctx) {
		if o.State != task.Done || len(o.Result) != 8 || binary.BigEndian.Uint64(o.Result) != uint64(o.Index)*4 {
			return r, fmt.Errorf("call %d: %v, %x, %s", o.Index, o.State, o.Result, o.Reason)
		}
	}
	return r, nil
}

// oneByOne calls echo N times, each when the one before has returned.
func oneByOne(ctx context.Context, n *node.Node, q *request) (reply, error) {
	c, err := n.Calls(ctx, node.CallOptions{Function: "echo", Common: node.Common{Where: node.Where{On: q.On}}})
	if err != nil {
		return reply{}, err
	}
	arg := make([]byte, q.Size)
	times := make([]time.Duration, q.N)
	begun := time.Now()
	for i := range times {
		binary.BigEndian.PutUint64(arg, uint64(i))
		at := time.Now()
		got, err := c.Call(ctx, arg)
		times[i] = time.Since(at)
		if err != nil {
			return reply{}, err
		}
		if string(got) != string(arg) {
			return reply{}, errors.New("the echo is wrong")
		}
	}
	return quantiles(times, time.Since(begun)), nil
}

// first measures, N times, how long it takes from a call to when it runs on an idle node.
func first(ctx context.Context, n *node.Node, q *request) (reply, error) {
	c, err := n.Calls(ctx, node.CallOptions{Function: "when", Common: node.Common{Where: node.Where{On: q.On}}})
	if err != nil {
		return reply{}, err
	}
	times := make([]time.Duration, q.N)
	begun := time.Now()
	for i := range times {
		time.Sleep(q.Each) // until the other node has nothing to do and has said so
		at := time.Now()
		ran, err := c.Call(ctx, nil)
		if err != nil {
			return reply{}, err
		}
		times[i] = time.Unix(0, int64(binary.BigEndian.Uint64(ran))).Sub(at)
	}
	return quantiles(times, time.Since(begun)), nil
}

func quantiles(times []time.Duration, took time.Duration) reply {
	slices.Sort(times)
	return reply{Took: took, P50: times[len(times)/2], P99: times[len(times)*99/100]}
}

// sleep waits for as long as its argument says.
func sleep(ctx context.Context, args []byte) ([]byte, error) {
	d, err := strconv.ParseInt(string(args), 10, 64)
	if err != nil {
		return nil, err
	}
	select {
	case <-time.After(time.Duration(d)):
		return nil, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// spins submits N tasks that spin, or sleep, and waits for them.
func spins(ctx context.Context, n *node.Node, q *request) (reply, error) {
	c, err := n.Calls(ctx, node.CallOptions{Function: q.Do, Common: node.Common{Where: node.Where{Local: q.Local}}})
	if err != nil {
		return reply{}, err
	}
	arg := strconv.AppendInt(nil, int64(q.Each), 10)
	var all sync.WaitGroup
	var failed atomic.Pointer[error]
	begun := time.Now()
	for range q.N {
		all.Add(1)
		err := c.Go(ctx, arg, func(_ []byte, err error) {
			if err != nil {
				failed.Store(&err)
			}
			all.Done()
		})
		if err != nil {
			return reply{}, err
		}
	}
	all.Wait()
	r := reply{Took: time.Since(begun)}
	if err := failed.Load(); err != nil {
		return r, *err
	}
	return r, nil
}
