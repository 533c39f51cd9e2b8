package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/filchsched/filch/node/control"
)

// newJobsCmd is `filch jobs`.
func newJobsCmd() *cobra.Command {
	var (
		local  localNode
		output outputFormat
		task   int
		runs   bool
	)
	c := &cobra.Command{
		Use:   "jobs [job]",
		Short: "List the jobs left with the local node, or the tasks of one",
		Long: `List the jobs that were left with the local node, the oldest first, or the tasks of
one with how each ended and where. Ended jobs are forgotten when there are many, and all
with the node.

A job's state is running, done, failed (some tasks failed) or cancelled, a task's waiting,
done, failed or cancelled; where a waiting task is tells "filch explain". A task's EXIT is
that of its command, and 128 + n if signal n ended it.

With --task, what is kept of that task's output is printed: the first 64 KiB of each
stream. With --runs, the runs of "filch run" are listed that have this node as theirs, or had
lately.`,
		Example: `  filch jobs
  filch jobs 3.7
  filch jobs 3.7 --task 12
  filch jobs -o json | jq -r '.[] | select(.state == "failed") | .id'`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: local.completeJobs(1),
		RunE: func(c *cobra.Command, args []string) error {
			ctx := contextOf(c)
			client, err := local.find(ctx)
			if err != nil {
				return err
			}
			switch {
			case runs && (len(args) > 0 || c.Flags().Changed("task")):
				return errors.New("--runs lists runs: leave out the job and --task; \"filch explain RUN/INDEX\" tells of their tasks")
			case runs:
				return listRuns(ctx, client, output, c.OutOrStdout())
			case len(args) == 0 && c.Flags().Changed("task"):
				return fmt.Errorf("--task: name the job, too: filch jobs JOB --task %d", task)
			case len(args) == 0:
				return listJobs(ctx, client, output, c.OutOrStdout())
			case c.Flags().Changed("task"):
				return printTask(ctx, client, args[0], task, output, c.OutOrStdout(), c.ErrOrStderr())
			}
			return listTasks(ctx, client, args[0], output, c.OutOrStdout())
		},
	}
	local.register(c)
	output.register(c)
	c.Flags().IntVar(&task, "task", 0, "print what the task of `INDEX` printed")
	c.Flags().BoolVar(&runs, "runs", false, "list the runs of \"filch run\" in place of jobs")
	return c
}

func listRuns(ctx context.Context, c *control.Client, format outputFormat, w io.Writer) error {
	runs, err := c.Runs(ctx)
	if err != nil {
		return err
	}
	if format == outputJSON {
		return writeJSON(w, runs)
	}
	_, err = io.WriteString(w, runTable(runs))
	return err
}

func listJobs(ctx context.Context, c *control.Client, format outputFormat, w io.Writer) error {
	jobs, err := c.Jobs(ctx)
	if err != nil {
		return err
	}
	if format == outputJSON {
		return writeJSON(w, jobs)
	}
	_, err = io.WriteString(w, jobTable(jobs))
	return err
}

// tasksPerPage is how many tasks are asked for at a time.
const tasksPerPage = 1000

func listTasks(ctx context.Context, c *control.Client, id string, format outputFormat, w io.Writer) error {
	var all control.JobDetail
	for from := 0; ; from = all.Next {
		page, err := c.Job(ctx, id, from, tasksPerPage)
		if err != nil {
			return err
		}
		page.Page = append(all.Page, page.Page...)
		if all = page; all.Next == 0 {
			break
		}
	}
	if format == outputJSON {
		return writeJSON(w, all)
	}
	_, err := io.WriteString(w, taskTable(all))
	return err
}

func printTask(ctx context.Context, c *control.Client, id string, task int, format outputFormat, out, errs io.Writer) error {
	o, err := c.Output(ctx, id, task)
	if err != nil {
		return err
	}
	if format == outputJSON {
		return writeJSON(out, o)
	}
	if _, err := out.Write(o.Stdout); err != nil {
		return err
	}
	if _, err := errs.Write(o.Stderr); err != nil {
		return err
	}
	if o.Dropped {
		fmt.Fprintf(errs, "filch: of %d bytes on standard output and %d on standard error, this is what was kept\n", o.StdoutBytes, o.StderrBytes)
	}
	return nil
}

// writeJSON prints v for programs.
func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
