package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/node"
	"github.com/filchsched/filch/testbed/nodes"
)

// serve submits what is asked for and waits for its end.
func serve(ctx context.Context, n *node.Node, q *nodes.Request) nodes.Reply {
	r := nodes.Reply{ID: q.ID, Submitted: time.Now()}
	pad := strings.Repeat(".", q.Payload)
	var args [][]byte
	for i, d := range q.Takes {
		b, err := json.Marshal(nodes.Arg{Index: i, Takes: d, Dir: q.Dir, Result: q.Result, Spin: q.Spin, Pad: pad})
		if err != nil {
			r.Error = err.Error()
			return r
		}
		args = append(args, b)
	}
	common := node.Common{Where: node.Where{Avoid: q.Avoid, Local: q.Local}}
	submit := job
	if q.OneByOne {
		submit = calls
	}
	if err := submit(ctx, n, common, args, func(i int, value []byte, err error) {
		r.Ends = append(r.Ends, end(i, q, value, err))
	}); err != nil {
		r.Error = err.Error()
	}
	return r
}

// job submits all at once.
func job(ctx context.Context, n *node.Node, c node.Common, args [][]byte, ended func(int, []byte, error)) error {
	j, err := n.SubmitCalls(ctx, node.CallJob{Common: c, Function: nodes.Work, Args: args})
	if err != nil {
		return err
	}
	for o := range j.Results(ctx) {
		switch {
		case o.State != task.Done:
			ended(o.Index, nil, fmt.Errorf("%v: %s", o.State, o.Reason))
		case o.ResultDropped:
			ended(o.Index, nil, fmt.Errorf("the result was dropped"))
		default:
			ended(o.Index, o.Result, nil)
		}
	}
	return ctx.Err()
}

// calls calls one by one, without waiting for each.
func calls(ctx context.Context, n *node.Node, c node.Common, args [][]byte, ended func(int, []byte, error)) error {
	of, err := n.Calls(ctx, node.CallOptions{Common: c, Function: nodes.Work})
	if err != nil {
		return err
	}
	type end struct {
		i     int
		value []byte
		err   error
	}
	ends := make(chan end, 2*len(args)) // twice: a second return would be heard of
	for i, a := range args {
		if err := of.Go(ctx, a, func(value []byte, err error) { ends <- end{i, value, err} }); err != nil {
			return err
		}
	}
	for range args {
		select {
		case e := <-ends:
			ended(e.i, e.value, e.err)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func end(i int, q *nodes.Request, value []byte, err error) nodes.End {
	e := nodes.End{Index: i}
	if err == nil {
		err = json.Unmarshal(value, &e.Value)
	}
	if err == nil && len(e.Value.Pad) != q.Result {
		err = fmt.Errorf("%d bytes came back, not %d", len(e.Value.Pad), q.Result)
	}
	if err != nil {
		e.Error = err.Error()
	}
	e.Value.Pad = ""
	return e
}
