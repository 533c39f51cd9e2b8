package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/filchsched/filch/cmd/filch/parallel"
	"github.com/filchsched/filch/node/control"
)

// newWaitCmd is `filch wait`.
func newWaitCmd() *cobra.Command {
	var (
		local   localNode
		timeout string
	)
	c := &cobra.Command{
		Use:   "wait job…",
		Short: "Wait until jobs left with the local node have ended",
		Long: `Wait until jobs have ended. The exit code is 0 if all tasks of all of them are done, 1
if any failed or was cancelled, and 124 if the time was up before (--timeout).`,
		Example: `  filch wait $(filch submit -- make -C /src/app)
  filch wait --timeout 1h 3.7 3.8`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: local.completeJobs(0),
		RunE: func(c *cobra.Command, args []string) error {
			ctx := contextOf(c)
			var patience time.Duration
			if timeout != "" {
				var err error
				if patience, err = parallel.ParseDuration(timeout); err != nil {
					return fmt.Errorf("--timeout: %w", err)
				}
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, patience)
				defer cancel()
			}
			client, err := local.find(ctx)
			if err != nil {
				return err
			}
			bad := false
			for _, id := range args {
				j, err := client.Wait(ctx, id)
				if errors.Is(err, context.DeadlineExceeded) {
					fmt.Fprintf(c.ErrOrStderr(), "filch: wait: %s: %v was not enough: %s\n", id, patience, progressOf(j))
					return exitCode(exitTimedOut)
				}
				if err != nil {
					return err
				}
				if j.State != control.JobDone {
					bad = true
					fmt.Fprintf(c.ErrOrStderr(), "filch: wait: %s %s: %s\n", id, j.State, progressOf(j))
				}
			}
			if bad {
				return exitCode(1)
			}
			return nil
		},
	}
	local.register(c)
	c.Flags().StringVar(&timeout, "timeout", "", "wait for at most `TIME`: 10, 1m30s, 2h")
	if err := c.RegisterFlagCompletionFunc("timeout", cobra.NoFileCompletions); err != nil {
		panic(err) // a bug: there is no such flag
	}
	return c
}

func progressOf(j control.Job) string {
	if j.Tasks == 0 {
		return "nothing is known of its tasks"
	}
	return fmt.Sprintf("of %d tasks %d are done, %d failed, %d were cancelled", j.Tasks, j.Done, j.Failed, j.Cancelled)
}
