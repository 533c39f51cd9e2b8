package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/filchsched/filch/exec/proc"
	"github.com/filchsched/filch/node"
)

// newUpCmd is `filch up`.
func newUpCmd() *cobra.Command {
	var o upOptions
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Be a node of a cluster, in the foreground",
		Long: `Be a node: find the others, tell them what this machine has, and answer the
other verbs on a socket that only this user may open.

The first start makes an identity and, unless it joins, a new cluster, and keeps both in
the data directory. It prints a join string, which contains the cluster's secret: give it
to other machines as you would a password. On one local network nodes of one cluster find
each other without any address.

A join string on the command line can be read by every user of this machine for as long
as the node runs. It can come from a file (--join-file FILE), from standard input
(--join-file -), from FILCH_JOIN, or from the configuration file.

Everything can be said by a flag, by a variable (--data-dir is FILCH_DATA_DIR) or in a
TOML file (data-dir = "…"); flags go over variables, variables over the file.

SIGTERM and SIGINT have the node say goodbye and end; a second one ends it at once.`,
		Example: `  filch up                                        # the first node
  ssh first filch join-string | filch up --join-file -
  filch up --listen 10.0.0.5:7447 --label rack=r1 --label zone=z1
  filch up --solo --data-dir /tmp/try`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return up(contextOf(cmd), &o, cmd)
		},
	}
	o.register(cmd)
	return cmd
}

// up runs a node until a signal or "filch leave" ends it.
func up(ctx context.Context, o *upOptions, cmd *cobra.Command) error {
	out, errs := cmd.OutOrStdout(), cmd.ErrOrStderr()
	config, notices, err := o.config(os.LookupEnv, cmd.InOrStdin())
	if err != nil {
		return err
	}
	for _, n := range notices {
		fmt.Fprintf(errs, "filch: %s\n", n)
	}
	config.Logger = slog.New(slog.NewTextHandler(errs, &slog.HandlerOptions{Level: o.level.level}))
	ctx, stop := untilSignal(ctx)
	defer stop()
	service := newService(os.Getenv)
	if config.Workers == 0 {
		config.Workers = usableCPUs() // all: makeRoom sees to the network
	}
	n, err := node.Start(ctx, config)
	if err != nil {
		return explainStart(err)
	}
	if err := makeRoom(ctx, n, os.Getenv); err != nil {
		return err
	}
	if err := printNode(ctx, out, n, service.managed()); err != nil {
		return err
	}
	service.ready(ctx, n)
	<-n.Ending()
	service.stopping()
	<-n.Done()
	return n.Err()
}

// makeRoom lets Go run one thread more than there are workers: beside busy ones the network
// would starve, and others would take the node for dead. Who has set GOMAXPROCS knows better.
func makeRoom(ctx context.Context, n *node.Node, getenv func(string) string) error {
	about, err := n.About(ctx)
	if err == nil && getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(about.Workers + 1)
	}
	return err
}

// explainStart says what to do about errors that have a cause outside of filch.
func explainStart(err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%w: something listens there already; choose another port with --listen, or 0 for any", err)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%w: that is no address of this machine", err)
	}
	return err
}

// untilSignal returns a context that ends with the first signal to end. A second one ends
// the process, as the shell would say: 128 and the signal's number.
func untilSignal(parent context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		for range 2 {
			s, ok := <-signals
			if !ok {
				return
			}
			if ctx.Err() != nil {
				os.Exit(exitOfSignal(s))
			}
			cancel()
		}
	}()
	return ctx, func() { signal.Stop(signals); close(signals); cancel() }
}

func exitOfSignal(s os.Signal) int {
	if n, ok := s.(syscall.Signal); ok {
		return 128 + int(n)
	}
	return proc.ExitFilchFailed
}

// printNode says who this node is, where it listens, and how to join it. Under a service
// manager the join string stays out: what is printed there is kept in logs.
func printNode(ctx context.Context, w io.Writer, n *node.Node, managed bool) error {
	about, err := n.About(ctx)
	if err != nil {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "node     %s %s\n", about.Name, about.ID)
	if about.Cluster == "" {
		b.WriteString("cluster  none: on its own\n")
	} else {
		fmt.Fprintf(&b, "cluster  %s\n", about.Cluster)
	}
	if len(about.Listen) == 0 {
		b.WriteString("listen   nowhere\n")
	} else {
		fmt.Fprintf(&b, "listen   %s\n", strings.Join(about.Listen, " "))
	}
	if about.Socket != "" {
		fmt.Fprintf(&b, "socket   %s\n", about.Socket)
	}
	join, err := n.JoinString(ctx)
	switch {
	case err != nil: // on its own
	case managed:
		b.WriteString("join     \"filch join-string\" prints what others join with\n")
	default:
		fmt.Fprintf(&b, "join     %s\n", join)
	}
	_, err = io.WriteString(w, b.String())
	return err
}
