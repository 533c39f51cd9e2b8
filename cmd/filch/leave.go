package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/filchsched/filch/cmd/filch/parallel"
)

// newLeaveCmd is `filch leave`.
func newLeaveCmd() *cobra.Command {
	var (
		local  localNode
		within string
	)
	cmd := &cobra.Command{
		Use:   "leave",
		Short: "Have the local node say goodbye to its cluster and end",
		Long: `Have the local node say goodbye and end. The others list it as left, not as
failed. What runs there has --drain-timeout to come to its end, less a quarter for the
goodbye. It returns when the goodbye is out; the data directory stays, so that a later
"filch up" is the same node in the same cluster.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := contextOf(cmd)
			patience := time.Duration(0)
			if within != "" {
				var err error
				if patience, err = parallel.ParseDuration(within); err != nil {
					return fmt.Errorf("--drain-timeout: %w", err)
				}
			}
			c, err := local.find(ctx)
			if err != nil {
				return err
			}
			n, err := c.Node(ctx)
			if err != nil {
				return err
			}
			if err := c.Leave(ctx, patience); err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "node %s (%s) has left\n", n.Name, n.ID)
			return err
		},
	}
	local.register(cmd)
	cmd.Flags().StringVar(&within, "drain-timeout", "", "how long the end may take: a `TIME` like 60s (default: what the node was started with)")
	if err := cmd.RegisterFlagCompletionFunc("drain-timeout", cobra.NoFileCompletions); err != nil {
		panic(err) // a bug: there is no such flag
	}
	return cmd
}
