package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/filchsched/filch/node/control"
)

// newNodesCmd is `filch nodes`.
func newNodesCmd() *cobra.Command {
	var (
		local  localNode
		output outputFormat
		watch  bool
	)
	cmd := &cobra.Command{
		Use:   "nodes",
		Short: "List the members of the cluster, as the local node knows them",
		Long: `List the members of the cluster, as the local node knows them: who is there, how
far away and how that is known, how many cores each has and how many are free.

STATE is alive, suspect (did not answer lately), left (said goodbye) or failed. LEVEL is
how near a node is: host, rack, zone or remote, and in brackets what that was concluded
from. A "-" is what is not known (yet). AGE is how old the news of FREE and LOAD is.

--watch keeps the list on the screen; where that is no terminal, it prints a line per
change. With --output json, --watch prints the events of the API, one per line.`,
		Example: `  filch nodes
  filch nodes --watch
  filch nodes -o json | jq -r '.[] | select(.state == "alive") | .name'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := contextOf(cmd)
			c, err := local.find(ctx)
			if err != nil {
				return err
			}
			if watch {
				return watchNodes(ctx, c, output, cmd.OutOrStdout())
			}
			members, err := c.Members(ctx)
			if err != nil {
				return err
			}
			return writeNodes(cmd.OutOrStdout(), members, output)
		},
	}
	local.register(cmd)
	output.register(cmd)
	cmd.Flags().BoolVarP(&watch, "watch", "w", false, "go on, and show what changes")
	return cmd
}

// writeNodes prints the members for people or for programs.
func writeNodes(w io.Writer, members []control.Member, format outputFormat) error {
	if format != outputJSON {
		_, err := io.WriteString(w, nodeTable(members))
		return err
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(members)
}

// watchNodes shows what changes until it is interrupted or the node ends.
func watchNodes(ctx context.Context, c *control.Client, format outputFormat, w io.Writer) error {
	if format != outputJSON && isTerminal(os.Stdout) && isTerminal(os.Stdin) {
		return watchOnTerminal(ctx, c, os.Stdout)
	}
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	for e, err := range c.Watch(ctx) {
		switch {
		case errors.Is(err, context.Canceled):
			return nil // interrupted, as one ends a watch
		case err != nil:
			return err
		case e.Kind == control.EventLost:
			return errors.New(e.Reason)
		}
		if err := writeEvent(w, e, format); err != nil {
			return err
		}
	}
	return nil
}

// writeEvent prints one event: all of it for programs, a line for people if there is
// something to tell.
func writeEvent(w io.Writer, e control.Event, format outputFormat) error {
	if format == outputJSON {
		return json.NewEncoder(w).Encode(e)
	}
	_, err := io.WriteString(w, eventLine(e))
	return err
}
