package main

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/filchsched/filch/cmd/filch/parallel"
	"github.com/filchsched/filch/node/control"
)

// cancelPatience is how long a cancel waits for all nodes to confirm that they have stopped.
const cancelPatience = 15 * time.Second

// newCancelCmd is `filch cancel`.
func newCancelCmd() *cobra.Command {
	var (
		local   localNode
		output  outputFormat
		timeout string
	)
	c := &cobra.Command{
		Use:   "cancel job…",
		Short: "Cancel jobs left with the local node",
		Long: `Cancel jobs. There are two answers, a line for each job:

  accepted              nothing of it starts any more, and what has not ended will
                        end in nothing but cancelled
  stopped               accepted, and nothing of it runs: every node has confirmed that, or
                        its lease is over, which commands do not outlive
  unconfirmed: NODE     accepted; NODE vanished with tasks of it and might run them:
                        functions, or commands with --keep

It waits for the second answer, for --timeout at most. What had ended before stays as it
is.`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: local.completeJobs(0),
		RunE: func(c *cobra.Command, args []string) error {
			ctx := contextOf(c)
			patience := cancelPatience
			if timeout != "" {
				var err error
				if patience, err = parallel.ParseDuration(timeout); err != nil {
					return fmt.Errorf("--timeout: %w", err)
				}
			}
			client, err := local.find(ctx)
			if err != nil {
				return err
			}
			for _, id := range args {
				a, err := client.Cancel(ctx, id, patience)
				if err != nil {
					return err
				}
				if err := writeCancelled(c.OutOrStdout(), id, a, output, len(args) > 1); err != nil {
					return err
				}
			}
			return nil
		},
	}
	local.register(c)
	output.register(c)
	c.Flags().StringVar(&timeout, "timeout", "", "wait for at most `TIME` for the second answer (default: 15s; at most 25s)")
	if err := c.RegisterFlagCompletionFunc("timeout", cobra.NoFileCompletions); err != nil {
		panic(err) // a bug: there is no such flag
	}
	return c
}

func writeCancelled(w io.Writer, id string, a control.Cancelled, format outputFormat, several bool) (err error) {
	if format == outputJSON {
		return writeJSON(w, struct {
			Job string `json:"job"`
			control.Cancelled
		}{id, a})
	}
	name := ""
	if several {
		name = id + " "
	}
	switch {
	case len(a.Unconfirmed) > 0:
		for _, n := range a.Unconfirmed {
			if _, err = fmt.Fprintf(w, "%sunconfirmed: %s\n", name, plain(n)); err != nil {
				return err
			}
		}
	case a.Unknown:
		_, err = fmt.Fprintf(w, "%sunconfirmed: a node that is not known any more\n", name)
	case a.Stopped:
		_, err = fmt.Fprintf(w, "%sstopped\n", name)
	default:
		_, err = fmt.Fprintf(w, "%saccepted\n", name)
	}
	return err
}
