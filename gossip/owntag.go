package gossip

import (
	"bytes"
	"errors"
	"time"

	"github.com/hashicorp/memberlist"
	"github.com/hashicorp/serf/serf"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/filchsched/filch/gossip/core"
	"github.com/filchsched/filch/gossip/identity"
	"github.com/filchsched/filch/gossip/transport"
)

// What others say of this node itself is judged in another way than what they say of each
// other. A node that is started again before anybody has missed it is, to all of them,
// still the one of before, with its old record; it learns that when they mention it, and
// memberlist then announces the new one above it. So an old tag of its own has to get
// through. A later one than its own is from a start that its disk does not remember, or
// from another node with its identity.

// ownTag is what a node knows of its own tags. Its fields are under tags.mu.
type ownTag struct {
	id    peer.ID
	name  string
	now   core.Tag      // as announced, or about to be
	good  string        // the last other one that was found signed by this node
	later chan core.Tag // one that does not come before now; more are dropped meanwhile
}

func newOwnTag(id peer.ID) ownTag {
	return ownTag{id: id, name: id.String(), later: make(chan core.Tag, 1)}
}

// announcing says that this node announces a tag from now on.
func (t *tags) announcing(tag core.Tag) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.own.now = tag
}

// compareTags looks at tags that memberlist does not ask about, or too late: this node's
// own in the state of others, where they have it as gone; and those that a member says to
// be its own. If they are older than known ones the member lost its count of starts and
// would be refused by all, and not know.
func (c *Cluster) compareTags(p transport.Passing) {
	switch {
	case p.Meta == "":
	case p.Node == c.id.String():
		c.tags.mu.Lock()
		_ = c.tags.checkOwn([]byte(p.Meta)) // what is forged says nothing
		c.tags.mu.Unlock()
	case p.Itself && p.Kind == transport.Alive && c.isRunning():
		to, known, ok := c.tags.laterThan(p.Node, []byte(p.Meta))
		if !ok {
			return
		}
		versions := [6]byte{1, memberlist.ProtocolVersionMax, protocolVersion, serf.ProtocolVersionMin, serf.ProtocolVersionMax, serfVersion}
		c.begin(func() {
			if err := c.trans.Remind(to, known, versions); err != nil {
				c.log.Debug("reminding a member of what it announced", "member", p.Node, "error", err)
			}
		})
	}
}

// laterThan returns the tags known of a member if those it says now must not follow them.
func (t *tags) laterThan(name string, meta []byte) (id peer.ID, known []byte, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	v := t.byName[name]
	if v == nil || v.meta == nil || bytes.Equal(v.meta, meta) {
		return "", nil, false
	}
	tag, err := tagOf(meta)
	if err != nil || core.Follow(v.tag, tag) == nil {
		return "", nil, false
	}
	return v.id, bytes.Clone(v.meta), true
}

// checkOwn returns why these are no tags of this node's; nil lets memberlist compare them
// with what it announces.
func (t *tags) checkOwn(meta []byte) error {
	tag, err := tagOf(meta)
	if err != nil {
		return err
	}
	o := &t.own
	if tag == o.now || string(meta) == o.good && core.Follow(tag, o.now) == nil {
		return nil
	}
	t.verifies++
	if !identity.VerifySignature(o.id, tag.Signed(core.ID(o.id)), tag.Signature[:]) {
		return errors.New("a tag of this node that it has not signed")
	}
	o.good = string(meta)
	if core.Follow(tag, o.now) != nil {
		select {
		case o.later <- tag:
		default:
		}
	}
	return nil
}

// Others that remember a later start of this node are right once, when its disk was
// restored from a backup; maybe twice, where they remember different ones. If it goes on,
// somebody else goes on counting.
const (
	maxRaises    = 3
	raisesForget = 10 * time.Minute
)

// ErrTwice says that another node runs with the identity of this one.
var ErrTwice = errors.New("another node is running with this node's identity, most likely from a copy of its data directory: " +
	"stop one of the two, and remove identity and incarnation from its data directory before it starts again")

// doubled counts a raise, and tells whether they go on. It is called by one goroutine at a
// time.
func (c *Cluster) doubled(now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Sub(c.raised.last) > raisesForget {
		c.raised.count = 0
	}
	c.raised.last = now
	c.raised.count++
	return c.raised.count > maxRaises
}

// raises are those of this node's count of starts because of what others remember.
type raises struct {
	count int
	last  time.Time
}
