package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/filchsched/filch/node"
	"github.com/filchsched/filch/node/control"
)

// This file is run --join: a node in this process, for as long as the run. It keeps nothing
// on disk, takes no work, and the run is its guest as it would be that of the machine's node.

const (
	// joinWithin bounds how long a run tries to join: whoever is there answers within round trips,
	// and the user waits.
	joinWithin = 5 * time.Second
	// acquaintWithin bounds how long it waits after that until the members have said what they have,
	// for flags that name them.
	acquaintWithin = 2 * time.Second
	// goodbyeWithin bounds the goodbye, which usually takes half of that.
	goodbyeWithin = time.Second
)

// seenByAll warns of a join string on the command line.
const seenByAll = "--join: every user of this machine can read the join string, and the secret in it, in the list of processes; --join-file and FILCH_JOIN are not seen"

// An invitation says which cluster a run is to join.
type invitation struct {
	strings []string // none: stay as you are
	where   string   // who said so: "--join", "FILCH_JOIN"
	cluster string   // its public name
	given   bool     // by a flag
	seen    bool     // by every user of the machine
}

// invitation is what flags, else the environment, say about joining. Standard input is not for
// join strings here: inputs come from there.
func (o *spreadOptions) invitation(environment *node.Settings) (i invitation, err error) {
	var flags, env node.Settings
	if len(o.join) > 0 {
		flags.Say("join", "--join", o.join...)
	}
	if o.joinFile != "" {
		flags.Say("join-file", "--join-file", o.joinFile)
	}
	i.given, i.seen = o.joins(), len(o.join) > 0
	for _, name := range []string{"join", "join-file"} {
		if v, where, ok := environment.Said(name); ok && !i.given {
			env.Say(name, where, v...)
		}
	}
	for _, s := range []*node.Settings{&flags, &env} {
		for _, name := range []string{"join", "join-file"} {
			if v, where, _ := s.Said(name); slices.Contains(v, "-") {
				return i, fmt.Errorf("%s: standard input is for the inputs of the commands: give the join string in a file", where)
			}
		}
		if err := readJoinFile(s, nil); err != nil {
			return i, err
		}
	}
	all := flags.Over(env)
	i.strings, i.where, _ = all.Said("join")
	if len(i.strings) == 0 {
		return i, nil
	}
	if i.cluster, err = node.InvitedTo(i.strings); err != nil {
		return i, fmt.Errorf("%s: %w", i.where, err)
	}
	return i, nil
}

// joins tells whether flags say that the run joins.
func (o *spreadOptions) joins() bool { return len(o.join) > 0 || o.joinFile != "" }

// beside tells what the machine's own node means for an invitation: it is the one that is used, if it is in that
// cluster.
func (i *invitation) beside(own control.Node) error {
	if len(i.strings) == 0 || own.Cluster == i.cluster {
		return nil
	}
	in := "on its own"
	if own.Cluster != "" {
		in = "in cluster " + own.Cluster
	}
	return fmt.Errorf("%s: the node of this machine is %s, and the join string is for cluster %s: leave the join string out to run over that node, or end it with filch leave", i.where, in, i.cluster)
}

// A clusterNode is a node as its guest sees it: a *control.Client, or ownNode.
type clusterNode interface {
	Node(context.Context) (control.Node, error)
	Members(context.Context) ([]control.Member, error)
	Guest(context.Context) (net.Conn, error)
}

// An ownNode is the node of a run that joined by itself.
type ownNode struct {
	node   *node.Node
	guests sync.WaitGroup
}

// joinAs starts a node and returns it when it has joined and knows what the members have.
func (i *invitation) joinAs(ctx context.Context, workers int, environment *node.Settings) (*ownNode, error) {
	var said node.Settings
	for _, name := range []string{"listen", "label"} {
		if v, where, ok := environment.Said(name); ok {
			said.Say(name, where, v...)
		}
	}
	c := node.Config{Name: guestName(), Join: i.strings, Workers: workers, DrainTimeout: goodbyeWithin}
	err := said.Apply(&c)
	if err == nil && len(c.Listen) == 0 {
		c.Listen, err = node.PrivateListen(0)
	}
	if err != nil {
		return nil, err
	}
	n, err := node.Start(context.WithoutCancel(ctx), c)
	if err != nil {
		return nil, explainStart(err)
	}
	o := &ownNode{node: n}
	if err := o.arrive(ctx); err != nil {
		o.close()
		if ctx.Err() != nil { // interrupted
			return nil, context.Cause(ctx)
		}
		return nil, fmt.Errorf("%s: the run cannot join: %w", i.where, err)
	}
	return o, nil
}

// guestName is what members call the node of this run.
func guestName() string {
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "node"
	}
	const most = 64 // bytes of it: far from what a name may have
	return fmt.Sprintf("%.*s-run-%d", most, host, os.Getpid())
}

// arrive waits until the node has joined, and then a moment for what the members have.
func (o *ownNode) arrive(ctx context.Context) error {
	joining, cancel := context.WithTimeout(ctx, joinWithin)
	defer cancel()
	if err := o.node.WaitJoined(joining); err != nil {
		if joining.Err() != nil && ctx.Err() == nil {
			err = fmt.Errorf("after %v: %w: see that one of those nodes is up and can be reached, or get another join string from one that is", joinWithin, err)
		}
		return err
	}
	learning, cancel := context.WithTimeout(ctx, acquaintWithin)
	defer cancel()
	for range o.node.Watch(learning) {
		if acquainted(o.node.Members()) {
			break
		}
	}
	return ctx.Err()
}

// acquainted tells whether it is known of everybody who is there what they have.
func acquainted(members []control.Member) bool {
	others := 0
	for _, m := range members {
		if m.Self || m.State != control.StateAlive {
			continue
		}
		if m.Cores == 0 { // its announcement has not arrived
			return false
		}
		others++
	}
	return others > 0
}

// Node implements clusterNode.
func (o *ownNode) Node(ctx context.Context) (control.Node, error) { return o.node.About(ctx) }

// Members implements clusterNode.
func (o *ownNode) Members(context.Context) ([]control.Member, error) { return o.node.Members(), nil }

// Guest implements clusterNode, without a socket.
func (o *ownNode) Guest(context.Context) (net.Conn, error) {
	here, there := net.Pipe()
	o.guests.Go(func() {
		_ = o.node.Guest(context.Background(), there) // until the other end closes; its errors are the other end's, too
	})
	return here, nil
}

// close leaves the cluster, after its guest has gone. A nil one is none.
func (o *ownNode) close() {
	if o == nil {
		return
	}
	o.guests.Wait()
	_ = o.node.Drain(context.Background()) // bounded by goodbyeWithin; others find out by themselves otherwise
}

// announce tells what the user may not expect of --join. own is the machine's node, if there is one.
func (i *invitation) announce(w io.Writer, own *localCluster) {
	if i.seen {
		fmt.Fprintf(w, "filch: %s\n", seenByAll)
	}
	if i.given && own != nil {
		fmt.Fprintf(w, "filch: the node of this machine, %s, is a member of that cluster: the run goes over it\n", own.node.Name)
	}
}

var errNoNode = errors.New("no node is running here that commands could leave for: start one with filch up, join a cluster with --join, or leave out what says where they may run")
