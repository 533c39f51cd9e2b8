package main

import (
	"context"
	"time"

	"github.com/filchsched/filch/steal/core"
	"github.com/filchsched/filch/steal/guest"
)

// joinTimeout bounds how long a run waits for its node to take it as a guest: a node that
// is there answers within a millisecond.
const joinTimeout = 5 * time.Second

// becomeGuest makes this process a guest of a node, that runs so many commands here at a time.
func becomeGuest(ctx context.Context, node clusterNode, self core.PeerID, jobs int, about guest.About) (*guest.Link, error) {
	ctx, cancel := context.WithTimeout(ctx, joinTimeout)
	defer cancel()
	conn, err := node.Guest(ctx)
	if err != nil {
		return nil, err
	}
	return guest.Connect(ctx, conn, self, jobs, about)
}
