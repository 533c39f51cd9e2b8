package main

import (
	"context"

	"github.com/filchsched/filch/cmd/filch/parallel"
	"github.com/filchsched/filch/exec/proc"
)

// perform runs c: its output is captured, or goes out while it runs.
func (x *execution) perform(ctx context.Context, c proc.Command, row parallel.Row) proc.Result {
	switch {
	case x.plan.ungroup:
		c.Stdout, c.Stderr = x.streams.out, x.streams.err
	case x.plan.lineBuffer:
		var finish func() error
		c.Stdout, c.Stderr, finish = x.output.Live(tagOf(row))
		result := x.run(ctx, c)
		if err := finish(); err != nil {
			x.stop(err)
		}
		return result
	}
	return x.run(ctx, c)
}
