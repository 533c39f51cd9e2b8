package main

import (
	"bufio"
	"context"
	"io"
	"strings"

	"github.com/filchsched/filch/cmd/filch/parallel"
)

// dryRun prints the command of every row as a shell would have to be given it. Slots
// are dealt out in turn, as if all commands took equally long.
func dryRun(ctx context.Context, t *parallel.Template, rows *parallel.Rows, o runOptions, jobs int, out io.Writer) error {
	w := bufio.NewWriter(out)
	for ctx.Err() == nil {
		row, err := rows.Next()
		if err != nil {
			flushErr := w.Flush()
			if err == io.EOF {
				err = asWriteError(flushErr)
			}
			return err
		}
		row.Slot = int((row.Seq-1)%uint64(jobs)) + 1
		line := t.Line(row) + "\n"
		if o.tag {
			line = strings.Join(row.Columns, " ") + "\t" + line
		}
		if _, err := w.WriteString(line); err != nil {
			return asWriteError(err)
		}
	}
	return context.Cause(ctx)
}

func asWriteError(err error) error {
	if err == nil {
		return nil
	}
	return &parallel.WriteError{Stream: "standard output", Err: err}
}
