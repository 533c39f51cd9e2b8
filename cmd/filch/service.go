package main

import (
	"context"
	"fmt"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"github.com/filchsched/filch/node"
)

// A service is the service manager's side of a node: systemd, or nobody.
type service struct {
	notify  bool // somebody wants to know how it goes
	journal bool // what is printed is kept in a log
}

func newService(getenv func(string) string) service {
	return service{notify: getenv("NOTIFY_SOCKET") != "", journal: getenv("JOURNAL_STREAM") != ""}
}

// managed tells whether a service manager started this process.
func (s service) managed() bool { return s.notify || s.journal }

// tell sends a state to the service manager. That it cannot be reached is no reason to
// end a node.
func (s service) tell(state string) {
	if s.notify {
		_, _ = daemon.SdNotify(false, state)
	}
}

// ready says that the node is up, and from then on that it lives, as often as the
// service manager wants to hear it. The sign of life comes from the node, not from a timer
// alone: a node that does not answer is restarted.
func (s service) ready(ctx context.Context, n *node.Node) {
	s.tell(fmt.Sprintf("%s\nSTATUS=node %s", daemon.SdNotifyReady, n.ID()))
	period, err := daemon.SdWatchdogEnabled(false)
	if err != nil || period <= 0 || !s.notify {
		return
	}
	go func() {
		tick := time.NewTicker(period / 2)
		defer tick.Stop()
		for {
			select {
			case <-n.Done():
				return
			case <-tick.C:
			}
			if _, err := n.About(ctx); err == nil && len(n.Members()) > 0 {
				s.tell(daemon.SdNotifyWatchdog)
			}
		}
	}()
}

// stopping says that the node ends.
func (s service) stopping() { s.tell(daemon.SdNotifyStopping) }
