package steal

import (
	"time"

	"github.com/filchsched/filch/steal/core"
)

// A gauge measures how fast what arrives in one go does: from the first part on, which it may have waited for.
type gauge struct {
	begun bool
	since time.Duration
	bytes int64
}

// minMeasured is the least that tells anything about a line: less may have been in buffers.
const minMeasured = 128 << 10

// arrived counts a part.
func (g *gauge) arrived(d *Driver, n int) {
	if !g.begun {
		*g = gauge{begun: true, since: d.config.Clock()}
		return
	}
	g.bytes += int64(n)
}

// done is the end of what came in one go. It tells the core.
func (g *gauge) done(d *Driver, from core.PeerID) {
	if g.bytes >= minMeasured {
		d.mail.put(mail{ev: core.Moved{Peer: from, Bytes: g.bytes, Took: d.config.Clock() - g.since}})
	}
	*g = gauge{}
}
