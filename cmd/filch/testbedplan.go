package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

// newTestbedPlanCmd is `filch testbed plan`.
func newTestbedPlanCmd() *cobra.Command {
	var t testbed
	c := &cobra.Command{
		Use:   "plan",
		Short: "Write a testbed's directory, compose file and build context, and start nothing",
		Long: `Write a testbed's directory, and start nothing. No engine is needed. Then, in that
directory, docker-compose (or docker compose) build and up -d do the rest; "--profile metrics" has
Prometheus and Grafana, too.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := t.complete(); err != nil {
				return err
			}
			if err := t.plan.Write(t.dir, t.parts, ""); err != nil {
				return err
			}
			_, err := fmt.Fprintf(c.OutOrStdout(), "%d racks of %d nodes in %s\n", t.plan.Racks, t.plan.PerRack, t.dir)
			return err
		},
	}
	t.what(c)
	return c
}
