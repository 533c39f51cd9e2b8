package main

import (
	"context"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/filchsched/filch/node/control"
)

// A localNode is the flags --socket and --data-dir of the verbs that ask a running node,
// and what they find.
type localNode struct{ socket, dataDir string }

// register adds the flags to c.
func (l *localNode) register(c *cobra.Command) {
	c.Flags().StringVar(&l.socket, "socket", "", "ask the node whose control socket is at `PATH` (default: FILCH_SOCKET, else the local node)")
	if err := c.MarkFlagFilename("socket", "sock"); err != nil {
		panic(err) // a bug: there is no such flag
	}
	c.Flags().StringVar(&l.dataDir, "data-dir", "", "ask the node whose data directory is `DIR`, and whose socket is in it")
	if err := c.MarkFlagDirname("data-dir"); err != nil {
		panic(err)
	}
	c.MarkFlagsMutuallyExclusive("socket", "data-dir")
}

// find returns a client of the node.
func (l *localNode) find(ctx context.Context) (*control.Client, error) {
	return control.Find(ctx, l.path(), os.Getenv)
}

// path is the socket that the flags name; "" if they name none.
func (l *localNode) path() string {
	if l.socket == "" && l.dataDir != "" {
		return filepath.Join(l.dataDir, control.SocketName)
	}
	return l.socket
}

// contextOf is the command's context; tests run commands without one.
func contextOf(c *cobra.Command) context.Context {
	if ctx := c.Context(); ctx != nil {
		return ctx
	}
	return context.Background()
}
