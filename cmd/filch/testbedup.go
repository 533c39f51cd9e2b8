package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/filchsched/filch/cmd/filch/compose"
)

// newTestbedUpCmd is `filch testbed up`.
func newTestbedUpCmd() *cobra.Command {
	var t testbed
	c := &cobra.Command{
		Use:   "up",
		Short: "Write a testbed, build its image, start it, and wait until all nodes see each other",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			ctx, stop := untilEnd(c)
			defer stop()
			return t.up(ctx, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	t.what(c)
	c.Flags().BoolVar(&t.metrics, "metrics", false, "start Prometheus (127.0.0.1:9090) and Grafana (127.0.0.1:3000), too; their images come from a registry")
	c.Flags().DurationVar(&t.timeout, "timeout", 2*time.Minute, "give up waiting for the nodes after `TIME`")
	return c
}

// up starts the testbed. Where it fails half-way what is there stays, so that one can look at it.
func (t *testbed) up(ctx context.Context, out, said io.Writer) error {
	engine, err := compose.Find(ctx)
	if err != nil {
		return err
	}
	if err := t.complete(); err != nil {
		return err
	}
	if err := t.plan.Write(t.dir, t.parts, engine.Arch); err != nil {
		return err
	}
	if t.parts.Busybox == "" {
		fmt.Fprintln(said, "filch: there is no busybox here, so the image has no shell: only commands without shell syntax, and only programs that --program adds, run there (busybox-static has one)")
	}
	if err := engine.Build(ctx, t.dir, t.plan.Project); err != nil {
		return err
	}
	args := []string{"up", "--detach", "--remove-orphans"}
	if t.metrics {
		args = append([]string{"--profile", compose.MetricsProfile}, args...)
	}
	if err := engine.Run(ctx, t.dir, said, args...); err != nil {
		return fmt.Errorf("%w (filch testbed down --dir %s removes what is there)", err, t.dir)
	}
	return t.found(ctx, engine, out)
}

// found waits for the cluster and shows it.
func (t *testbed) found(ctx context.Context, engine *compose.Engine, out io.Writer) error {
	ctx, cancel := context.WithTimeoutCause(ctx, t.timeout, errors.New("gave up after "+t.timeout.String()))
	defer cancel()
	if err := engine.Assemble(ctx, &t.plan); err != nil {
		return fmt.Errorf("%w (%s logs, in %s, tells what they say)", err, engine.Compose(), t.dir)
	}
	first := t.plan.Nodes()[0].Container
	members, err := engine.Members(ctx, first)
	if err != nil {
		return err
	}
	if err := writeNodes(out, members, outputText); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, `
try       docker exec %s filch run 'sleep 0.2; echo {} at $(hostname)' ::: 1 2 3 4 5 6 7 8 9
files     %s/files is %s in all nodes
cut       docker network disconnect %[4]s %[1]s
end       filch testbed down --dir %[2]s
`, first, t.dir, compose.Shared, t.plan.Nodes()[0].Spine)
	return err
}
