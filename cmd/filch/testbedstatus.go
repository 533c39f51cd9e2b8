package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/filchsched/filch/cmd/filch/compose"
)

// newTestbedStatusCmd is `filch testbed status`.
func newTestbedStatusCmd() *cobra.Command {
	var t testbed
	c := &cobra.Command{
		Use:   "status",
		Short: "Show a testbed's containers, and the cluster as one of its nodes sees it",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			ctx, stop := untilEnd(c)
			defer stop()
			return t.status(ctx, c.OutOrStdout())
		},
	}
	t.where(c)
	return c
}

func (t *testbed) status(ctx context.Context, out io.Writer) error {
	engine, err := t.there(ctx)
	if err != nil {
		return err
	}
	if err := engine.Run(ctx, t.dir, out, "ps"); err != nil {
		return err
	}
	up, err := engine.Running(ctx, t.dir)
	if err != nil {
		return err
	}
	var last error = errors.New("no node runs")
	for _, container := range up {
		members, err := engine.Members(ctx, container)
		if err == nil {
			fmt.Fprintf(out, "\nas %s sees it:\n", container)
			return writeNodes(out, members, outputText)
		}
		last = err
	}
	return last
}

// there is the engine, and an error if there is no testbed in the directory.
func (t *testbed) there(ctx context.Context) (*compose.Engine, error) {
	if _, err := os.Stat(filepath.Join(t.dir, compose.FileName)); err != nil {
		return nil, fmt.Errorf("there is no testbed in %s: %w; --dir says where it is", strings.TrimSuffix(t.dir, "/"), err)
	}
	return compose.Find(ctx)
}
