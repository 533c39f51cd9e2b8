package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/filchsched/filch/node/control"
	"github.com/filchsched/filch/node/fit"
)

// takers refuses a run that no known node could take a command of. Where the node has not joined its cluster yet,
// those who could may still come.
func (s *spread) takers() error {
	self := slices.DeleteFunc(slices.Clone(s.cluster.members), func(m control.Member) bool { return !m.Self })
	s.here = s.fits(self).Able > 0
	err := s.fits(s.cluster.members).Err()
	if err == nil || s.cluster.node.Joined {
		return err
	}
	if !s.plan.quiet {
		fmt.Fprintf(s.streams.err, "filch: waiting for the node of this machine to join its cluster: so far %v\n", err)
	}
	text := err.Error()
	s.nobody.Store(&text)
	return nil
}

// fits judges the members; that of this machine has what --jobs adds to it.
func (s *spread) fits(members []control.Member) fit.Verdict {
	all := slices.Clone(members)
	for k := range all {
		if all[k].Self {
			all[k].Cores += s.extra
		}
	}
	return fit.Check(&s.terms, all)
}

// lookForTakers is how often it is looked whether anybody could still take what waits.
const lookForTakers = 2 * time.Second

// watchTakers says that nobody can take commands any more, and why, once until somebody can: members come and go. Where
// this machine may run them it asks nobody.
func (s *spread) watchTakers(ctx context.Context) {
	if s.here {
		return
	}
	tick := time.NewTicker(lookForTakers)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		members, err := s.cluster.client.Members(ctx)
		if err != nil {
			continue // the link notices if the node is gone
		}
		why := s.fits(members).Err()
		if why == nil {
			s.nobody.Store(nil)
			continue
		}
		text := why.Error()
		if s.nobody.Swap(&text) == nil {
			s.notice("commands wait: %v", why)
		}
	}
}
