package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

// newLeaveCmd is `filch leave`.
func newLeaveCmd() *cobra.Command {
	var local localNode
	cmd := &cobra.Command{
		Use:   "leave",
		Short: "Have the local node say goodbye to its cluster and end",
		Long: `Have the local node say goodbye and end. The others list it as left, not as
failed. It returns when the goodbye is out; the data directory stays, so that a later
"filch up" is the same node in the same cluster.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := contextOf(cmd)
			c, err := local.find(ctx)
			if err != nil {
				return err
			}
			n, err := c.Node(ctx)
			if err != nil {
				return err
			}
			if err := c.Leave(ctx); err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "node %s (%s) has left\n", n.Name, n.ID)
			return err
		},
	}
	local.register(cmd)
	return cmd
}
