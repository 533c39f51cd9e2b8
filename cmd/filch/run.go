package main

import (
	"context"
	"io"
	"os"
	"sync/atomic"

	"github.com/spf13/cobra"

	"github.com/filchsched/filch/cmd/filch/parallel"
	"github.com/filchsched/filch/exec"
	"github.com/filchsched/filch/exec/proc"
	"github.com/filchsched/filch/exec/task"
)

func newRunCmd() *cobra.Command {
	c := &cobra.Command{
		Use: "run",
		RunE: func(cmd *cobra.Command, args []string) error {
			return run(args, os.Stdin, os.Stdout, os.Stderr)
		},
	}
	c.Flags().SetInterspersed(false)
	return c
}

func run(args []string, in, out, errw *os.File) error {
	command, sources := parallel.SplitArgs(args)
	t, err := parallel.ParseTemplate(command)
	if err != nil {
		return err
	}
	rows, err := parallel.OpenRows(sources, parallel.Options{Stdin: in})
	if err != nil {
		return err
	}
	defer rows.Close()
	e, err := exec.New(exec.Config{})
	if err != nil {
		return err
	}
	job, err := e.NewJob(exec.JobConfig{External: true})
	if err != nil {
		return err
	}
	r, err := proc.New(proc.Config{})
	if err != nil {
		return err
	}
	seq := parallel.NewSequencer(out, errw, parallel.Arrange{})
	var failed atomic.Int64
	bag := exec.NewBag(job, func(c *exec.Ctx, row parallel.Row) {
		var cmd proc.Command
		var line string
		if cmd.Argv, line = t.Command(row); line != "" {
			cmd, _ = proc.Parse(line)
		}
		res := r.Run(c.Context(), cmd)
		if res.State != task.Done {
			failed.Add(1)
		}
		seq.Put(parallel.Output{Seq: row.Seq, Stdout: res.Stdout, Stderr: res.Stderr})
	})
	for {
		row, err := rows.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if err := bag.Submit(context.Background(), row); err != nil {
			return err
		}
	}
	job.Close()
	if err := job.Wait(context.Background()); err != nil {
		return err
	}
	if n := failed.Load(); n > 0 {
		return exitCode(parallel.ExitCode(n))
	}
	return nil
}
