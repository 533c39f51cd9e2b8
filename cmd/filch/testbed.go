package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/filchsched/filch/cmd/filch/compose"
)

const testbedLong = `Racks of real nodes in containers on this machine, to see filch at work and to break it.

It needs a Docker engine, and docker-compose or docker compose. The image is made of this very
program, from nothing, so no registry is asked. Each rack is a network; a backbone joins them.
All nodes share a directory, which is "files" in the testbed's directory here and ` + compose.Shared + ` there.
Everything about a testbed is in its directory; compose's own verbs work there, too.`

// newTestbedCmd is `filch testbed`.
func newTestbedCmd() *cobra.Command {
	c := &cobra.Command{
		Use:   "testbed",
		Short: "Racks of nodes in containers, on this machine",
		Long:  testbedLong,
		Example: `  filch testbed up --racks 3 --nodes 3
  docker exec filch-r1n1 filch run 'sleep 1; hostname' ::: 1 2 3 4 5 6 7 8 9
  docker network disconnect filch_backbone filch-r2n1
  filch testbed down`,
		Args: cobra.NoArgs,
	}
	c.AddCommand(newTestbedUpCmd(), newTestbedPlanCmd(), newTestbedStatusCmd(), newTestbedDownCmd())
	return c
}

// A testbed is the flags of the verbs of testbed.
type testbed struct {
	dir     string
	plan    compose.Plan
	parts   compose.Parts
	subnet  string
	metrics bool
	timeout time.Duration
}

// where adds the flags that all verbs have.
func (t *testbed) where(c *cobra.Command) {
	c.Flags().StringVar(&t.dir, "dir", "filch-testbed", "the testbed's `DIR`")
	if err := c.MarkFlagDirname("dir"); err != nil {
		panic(err) // a bug: there is no such flag
	}
}

// what adds the flags that say what a testbed consists of.
func (t *testbed) what(c *cobra.Command) {
	f := c.Flags()
	f.SortFlags = false
	f.IntVar(&t.plan.Racks, "racks", compose.DefaultRacks, "`N` racks")
	f.IntVar(&t.plan.PerRack, "nodes", compose.DefaultPerRack, "`N` nodes in each rack")
	f.Float64Var(&t.plan.CPUs, "cpus", compose.DefaultCPUs, "`CORES` that a node may use at most")
	f.Float64Var(&t.plan.SlowCPUs, "slow", compose.DefaultSlow, "`CORES` of the one slow node, the last one; 0: none is slow")
	f.StringVar(&t.plan.Project, "project", compose.DefaultProject, "`NAME` with which image, containers and networks begin")
	f.StringVar(&t.subnet, "subnet", compose.DefaultSubnet, "addresses of the testbed: a /16 `NETWORK` that nothing else here uses")
	f.StringVar(&t.plan.User, "user", callers(), "`UID:GID` of the nodes, and so of the commands that they run")
	f.StringVar(&t.parts.Filch, "binary", "", "the filch in the image: a static `FILE` for the engine's architecture (default: this program)")
	f.StringVar(&t.parts.Busybox, "busybox", "", "the shell in the image: a static busybox, a `FILE` (default: the one of this machine, if it has one)")
	f.StringArrayVar(&t.parts.Programs, "program", nil, "put another static `FILE` into the image, in /bin; may be repeated")
	t.where(c)
}

// callers is whose files the nodes write: as root they would be root's.
func callers() string { return fmt.Sprintf("%d:%d", max(os.Getuid(), 0), max(os.Getgid(), 0)) }

// complete fills in what the flags left open, and checks it.
func (t *testbed) complete() (err error) {
	if t.plan.Subnet, err = netip.ParsePrefix(t.subnet); err != nil {
		return fmt.Errorf("--subnet: %w", err)
	}
	if t.parts.Filch == "" {
		if runtime.GOOS != "linux" {
			return errors.New("containers run Linux, and this program does not: build one with GOOS=linux CGO_ENABLED=0 go build, and name it by --binary")
		}
		if t.parts.Filch, err = os.Executable(); err != nil {
			return err
		}
	}
	if t.parts.Busybox == "" {
		t.parts.Busybox, _ = exec.LookPath("busybox")
	}
	return t.plan.Check()
}

// untilEnd is a context that ends with the first signal to end.
func untilEnd(c *cobra.Command) (context.Context, context.CancelFunc) {
	return signal.NotifyContext(contextOf(c), syscall.SIGINT, syscall.SIGTERM)
}
