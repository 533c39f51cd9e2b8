package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"
)

// newJoinStringCmd is `filch join-string`.
func newJoinStringCmd() *cobra.Command {
	var (
		local  localNode
		output outputFormat
	)
	cmd := &cobra.Command{
		Use:   "join-string",
		Short: "Print what another machine needs to join the local node's cluster",
		Long: `Print a join string: the cluster's secret, and the addresses of this node and of
others. Whoever has it can join, and do what members may: keep it as you keep a password.`,
		Example: `  ssh first filch join-string | filch up --join-file -`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := contextOf(cmd)
			c, err := local.find(ctx)
			if err != nil {
				return err
			}
			j, err := c.JoinString(ctx)
			if err != nil {
				return err
			}
			if j.Addrs == 0 {
				fmt.Fprintln(cmd.ErrOrStderr(), "filch: the node listens nowhere: only machines of its local network can join with this, by mDNS")
			}
			if output == outputJSON {
				e := json.NewEncoder(cmd.OutOrStdout())
				e.SetIndent("", "  ")
				return e.Encode(j)
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), j.JoinString)
			return err
		},
	}
	local.register(cmd)
	output.register(cmd)
	return cmd
}
