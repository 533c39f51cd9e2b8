package node

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"

	"github.com/filchsched/filch/gossip/identity"
	"github.com/filchsched/filch/node/control"
)

// api is a node as the control API sees it.
type api struct{ node *Node }

// up returns an error for a node that cannot answer yet.
func (a api) up() error {
	if a.node.isReady() {
		return nil
	}
	return &control.Error{Status: http.StatusServiceUnavailable, Message: "the node is not ready yet", Reason: control.ReasonBusy, Hint: "ask again in a moment"}
}

// Node implements control.Backend.
func (a api) Node(context.Context) (control.Node, error) {
	n := a.node
	if err := a.up(); err != nil {
		return control.Node{}, err
	}
	v := control.Node{
		ID: n.self.identity.ID().String(), Name: n.config.Name,
		Ready: n.isReady(), Joined: n.joined.Load(), Leaving: n.leaving.Load(),
		Listen: []string{}, Addrs: []string{}, Labels: orEmpty(n.config.Labels),
		Workers: n.cores(), MemoryBytes: n.memory, Kinds: orNone(n.kinds()),
		Incarnation: n.self.incarnation, DataDir: n.self.dir, PID: os.Getpid(), Version: version(),
		Started: n.started, Socket: n.config.Socket, MDNS: n.config.MDNS, Problems: n.problems.list(),
		DrainTimeoutSeconds: n.config.DrainTimeout.Seconds(),
	}
	if n.network != nil {
		v.Cluster = n.self.cluster.ID()
		if names := n.overStreams(); len(names) > 0 {
			v.Problems = append(v.Problems, fmt.Sprintf("udp: it does not get through to %s; packets take TCP, which costs more: open the port for UDP", listed(names)))
		}
		addrs := n.network.wire.Addrs()
		v.Addrs = orNone(announced(addrs))
		v.Listen = control.HostPorts(v.Addrs)
	}
	return v, nil
}

// About is what the node says of itself.
func (n *Node) About(ctx context.Context) (control.Node, error) { return api{n}.Node(ctx) }

// Members implements control.Backend.
func (a api) Members(context.Context) ([]control.Member, error) {
	return a.node.Members(), a.up()
}

// Leave implements control.Backend: the goodbye first, so that who asked knows that it is
// out, and then the end.
func (a api) Leave(ctx context.Context, within time.Duration) error {
	n := a.node
	if err := a.up(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(within, n.config.DrainTimeout))
	if err := n.sayGoodbye(ctx, cancel); err != nil {
		return err
	}
	n.beginEnd()
	return nil
}

// invitedMembers is how many members a join string names besides this one: whoever joins
// tomorrow should find one that is still there, and a string has to be pasted.
const invitedMembers = 2

// JoinString implements control.Backend.
func (a api) JoinString(context.Context) (control.JoinString, error) {
	n := a.node
	if err := a.up(); err != nil {
		return control.JoinString{}, err
	}
	if n.network == nil {
		return control.JoinString{}, &control.Error{
			Status: http.StatusConflict, Message: "this node is on its own and cannot be joined",
			Reason: control.ReasonSolo, Hint: "start it without --solo",
		}
	}
	inv := identity.Invitation{Secret: n.self.secret}
	if addrs := n.network.wire.Addrs(); len(addrs) > 0 {
		inv.Peers = append(inv.Peers, peer.AddrInfo{ID: n.self.identity.ID(), Addrs: addrs})
	}
	for _, m := range n.network.cluster.Members() {
		if len(inv.Peers) > invitedMembers {
			break
		}
		if m.Self || !m.State.Present() || len(m.Addrs) == 0 {
			continue
		}
		inv.Peers = append(inv.Peers, peer.AddrInfo{ID: m.ID, Addrs: parsed(m.Addrs)})
	}
	j := control.JoinString{JoinString: inv.Encode(), Cluster: n.self.cluster.ID()}
	for _, p := range inv.Peers {
		j.Addrs += len(p.Addrs)
	}
	return j, nil
}

// parsed returns the multiaddrs among texts.
func parsed(texts []string) (all []multiaddr.Multiaddr) {
	for _, t := range texts {
		if a, err := multiaddr.NewMultiaddr(t); err == nil {
			all = append(all, a)
		}
	}
	return all
}

// listed names some, and says how many more there are.
func listed(names []string) string {
	const most = 5
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}

// forgotten is an event's view of a member that is forgotten.
func forgotten(id peer.ID) *control.Member {
	return &control.Member{ID: id.String(), Addrs: []string{}, Labels: map[string]string{}, Kinds: []string{}}
}
