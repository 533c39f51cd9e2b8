package gossip

import (
	"github.com/filchsched/filch/gossip/core"
	"github.com/filchsched/filch/gossip/transport"
)

// Stats counts what a Cluster did and refused since it was made.
type Stats struct {
	Core      core.Stats
	Transport transport.Stats

	TagsRefused    uint64 // announcements of members that were not believed
	TagsVerified   uint64 // signatures of tags that were looked at
	NewsUnsent     uint64 // datagrams that the network did not take
	NewsRefused    uint64 // datagrams that were not sealed with the cluster's key for this node
	RecordsRefused uint64 // records without a certificate of this cluster for their owner

	Suspicions uint64 // members that became suspect, as seen from here
	Failures   uint64 // members that were declared failed

	Present int    // members that are alive or suspect, this node included
	Digest  uint64 // of the membership: equal where the views are
}

// counts are those of Stats that the driver keeps, under Cluster.mu.
type counts struct {
	newsUnsent, newsRefused, recordsRefused uint64
	suspicions, failures                    uint64
}

// Stats may be called concurrently.
func (c *Cluster) Stats() Stats {
	var s Stats
	if c.isRunning() {
		s.Transport = c.trans.Stats()
	}
	s.TagsRefused, s.TagsVerified = c.tags.counts()
	c.mu.Lock()
	defer c.mu.Unlock()
	s.Core = c.machine.Stats()
	s.NewsUnsent, s.NewsRefused, s.RecordsRefused = c.counts.newsUnsent, c.counts.newsRefused, c.counts.recordsRefused
	s.Suspicions, s.Failures = c.counts.suspicions, c.counts.failures
	s.Present, s.Digest = c.machine.Present(), c.machine.Digest()
	return s
}
