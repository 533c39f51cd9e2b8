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
			timed := ctx
			var patience time.Duration
			if timeout != "" {
				var err error
				if patience, err = parallel.ParseDuration(timeout); err != nil {
					return fmt.Errorf("--timeout: %w", err)
				}
				var cancel context.CancelFunc
				timed, cancel = context.WithTimeout(ctx, patience)
				defer cancel()
			}
			client, err := local.find(ctx)
			if err != nil {
				return err
			}
			bad := false
			for _, id := range args {
				j, late, err := waitFor(ctx, timed, client, id)
				if err == nil && late {
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

// lastLook is how long it may take to learn how a job stands when the time for it is up.
const lastLook = time.Second

// waitFor returns when a job has ended, or timed is over: late says that it had not ended then. timed comes from ctx.
func waitFor(ctx, timed context.Context, client *control.Client, id string) (j control.Job, late bool, err error) {
	j, err = client.Wait(timed, id)
	if err == nil || ctx.Err() != nil || !errors.Is(timed.Err(), context.DeadlineExceeded) {
		return j, false, err
	}
	ctx, cancel := context.WithTimeout(ctx, lastLook)
	defer cancel()
	d, err := client.Job(ctx, id, 0, 0)
	if err != nil && ctx.Err() != nil { // its node does not answer
		return j, true, nil
	}
	return d.Job, d.Ended == nil, err
}

func progressOf(j control.Job) string {
	if j.Tasks == 0 {
		return "nothing is known of its tasks"
	}
	return fmt.Sprintf("of %d tasks %d are done, %d failed, %d were cancelled", j.Tasks, j.Done, j.Failed, j.Cancelled)
}
