package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

// newTestbedDownCmd is `filch testbed down`.
func newTestbedDownCmd() *cobra.Command {
	var t testbed
	c := &cobra.Command{
		Use:   "down",
		Short: "Have a testbed's nodes leave, and remove its containers, networks and image",
		Long: `Have a testbed's nodes leave, and remove its containers, networks and image. Its directory
stays, with what is in files.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			ctx, stop := untilEnd(c)
			defer stop()
			engine, err := t.there(ctx)
			if err != nil {
				return err
			}
			if err := engine.Down(ctx, t.dir, c.ErrOrStderr()); err != nil {
				return fmt.Errorf("%w; what is left can be seen with docker ps -a", err)
			}
			return nil
		},
	}
	t.where(c)
	return c
}
