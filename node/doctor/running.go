package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/filchsched/filch/node/control"
)

// askTimeout bounds one question to a node, which answers in milliseconds.
const askTimeout = 3 * time.Second

// askNode asks the node about itself. That none runs is no fault.
func askNode(ctx context.Context, p Patient) (*control.Node, []Finding) {
	if p.Client == nil {
		return nil, []Finding{{"node", Skipped, "no node is running here", `start one with "filch up"; what follows is what it would find`}}
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	n, err := p.Client.Node(ctx)
	if err != nil {
		return nil, []Finding{{"node", Wrong, fmt.Sprintf("the node does not answer: %v", err), "look at what it logged; end it with SIGTERM and start it anew"}}
	}
	return &n, judgeNode(n)
}

// judgeNode looks at what a node says of itself.
func judgeNode(n control.Node) []Finding {
	found := fmt.Sprintf("%s (%s), up for %s", n.Name, n.ID, time.Since(n.Started).Round(time.Second))
	all := []Finding{{"node", OK, found, ""}}
	if !n.Joined {
		all = append(all, Finding{"join", Wrong, "the node has not reached any member of its cluster yet", "see the problems below; check that the addresses in the join string are right, and that UDP and TCP to their port are open"})
	}
	for _, p := range n.Problems {
		all = append(all, Finding{"problem", Warning, p, ""})
	}
	return all
}

func askMembers(ctx context.Context, p Patient) []control.Member {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	m, _ := p.Client.Members(ctx) // that it does not answer was told before
	return m
}

// judgePeers looks at the other members.
func judgePeers(members []control.Member) []Finding {
	var gone []string
	there := 0
	for _, m := range members {
		switch {
		case m.Self:
		case m.State == control.StateAlive:
			there++
		case m.State == control.StateSuspect || m.State == control.StateFailed:
			gone = append(gone, m.Name+" ("+m.State+")")
		}
	}
	switch {
	case len(gone) > 0:
		const most = 5
		more := ""
		if len(gone) > most {
			more = fmt.Sprintf(" and %d more", len(gone)-most)
			gone = gone[:most]
		}
		return []Finding{{"members", Warning, fmt.Sprintf("%d answer; not so %s%s", there, strings.Join(gone, ", "), more), "if they run, something between here and there drops packets"}}
	default:
		return []Finding{{"members", OK, fmt.Sprintf("%d beside this node, all answer", there), ""}}
	}
}

// checkHeld sees whether the node has the ports that it says it listens on, by trying to
// take them. It does not knock: the node would log, and count, a stranger.
func checkHeld(listen []string) Finding {
	if len(listen) == 0 {
		return Finding{"port", OK, "the node listens nowhere, as it was told", ""}
	}
	for _, l := range listen {
		if !held(l) {
			return Finding{"port", Wrong, fmt.Sprintf("the node says that it listens at %s, and that port is free", l), "the address may have gone from this machine: start the node anew"}
		}
	}
	return Finding{"port", OK, "held, on UDP and TCP: " + strings.Join(listen, " ") + " (whether others get there, only they can tell)", ""}
}

// held tells whether something has a HOST:PORT, on UDP and TCP both.
func held(hostPort string) bool {
	t, errTCP := net.Listen("tcp", hostPort)
	if errTCP == nil {
		t.Close()
	}
	u, errUDP := net.ListenPacket("udp", hostPort)
	if errUDP == nil {
		u.Close()
	}
	return errors.Is(errTCP, syscall.EADDRINUSE) && errors.Is(errUDP, syscall.EADDRINUSE)
}
