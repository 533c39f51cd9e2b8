package gossip

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/filchsched/filch/gossip/core"
	"github.com/filchsched/filch/gossip/identity"
	"github.com/filchsched/filch/gossip/transport"
)

// Serf carries a member's tags as a byte 0xFF and a msgpack map. Ours has one entry, under
// tagName, in the spelling of Serf's encoder; nothing else is let through, so nothing is
// ever decoded that was not compared byte by byte with what it must be.
const tagName = "t"

// metaHead is what comes before the tag's length: the mark, a map of one, its key, and the
// type of a text of up to 64 KiB.
var metaHead = []byte{0xff, 0x81, 0xa0 | byte(len(tagName)), tagName[0], 0xda}

// errMeta says that a member's tags are none of ours.
var errMeta = errors.New("its tags are not of the one form that members give them")

// tagOf reads the tag out of a member's tags as memberlist has them.
func tagOf(meta []byte) (core.Tag, error) {
	rest, ok := bytes.CutPrefix(meta, metaHead)
	if !ok || len(rest) < 2 || int(rest[0])<<8|int(rest[1]) != len(rest)-2 {
		return core.Tag{}, errMeta
	}
	return core.DecodeTag(rest[2:])
}

// serfTags are the tags that Serf shall have for this node. The map is Serf's from then on.
func serfTags(t core.Tag) map[string]string {
	return map[string]string{tagName: string(t.Encode())}
}

// A verified entry is what was found good about a member.
type verified struct {
	id      peer.ID
	meta    []byte
	tag     core.Tag
	forgone time.Time // when Serf forgot the member; zero while it has it
}

const (
	// refusedKept is how many refused tags are remembered, so that a forgery that goes
	// round is looked at once.
	refusedKept = 256
	// refusedLogged is how often refusals are logged.
	refusedLogged = time.Minute
)

// tags decides, for memberlist, who may be alive and with which tags. It is called for
// every mention of every member, under memberlist's lock.
type tags struct {
	log *slog.Logger

	mu       sync.Mutex
	byName   map[string]*verified // at most transport.MaxMembers
	refused  map[string]error     // by name and meta; at most refusedKept
	count    uint64               // refusals
	verifies uint64               // signatures looked at
	own      ownTag
	logged   time.Time
}

func newTags(log *slog.Logger, self peer.ID) *tags {
	return &tags{log: log, own: newOwnTag(self), byName: make(map[string]*verified), refused: make(map[string]error)}
}

// NotifyAlive is memberlist's question whether a member may be alive as n says.
func (t *tags) NotifyAlive(n *memberlist.Node) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	err := t.check(n)
	if err != nil {
		t.count++
		if now := time.Now(); t.logged.IsZero() || now.Sub(t.logged) >= refusedLogged {
			t.logged = now
			t.log.Warn("a member's announcement refused", "member", n.Name, "error", err, "refused", t.count)
		}
	}
	return err
}

func (t *tags) check(n *memberlist.Node) error {
	v := t.byName[n.Name]
	if v == nil {
		id, err := transport.PeerOf(n.Name)
		if err != nil {
			return err
		}
		v = &verified{id: id}
	}
	if err := checkAddress(v.id, n); err != nil {
		return err
	}
	if n.Name == t.own.name {
		return t.checkOwn(n.Meta)
	}
	if v.meta != nil && bytes.Equal(v.meta, n.Meta) {
		v.forgone = time.Time{}
		return nil
	}
	key := n.Name + "\x00" + string(n.Meta)
	if err := t.refused[key]; err != nil {
		return err
	}
	tag, err := t.verify(v, n.Meta)
	if err != nil {
		if len(t.refused) >= refusedKept {
			clear(t.refused)
		}
		t.refused[key] = err
		return err
	}
	if v.meta == nil {
		if err := t.makeRoom(); err != nil {
			return err
		}
		t.byName[n.Name] = v
	}
	v.meta, v.tag, v.forgone = bytes.Clone(n.Meta), tag, time.Time{}
	return nil
}

// checkAddress wants the address that follows from the name, and versions of the
// protocols that this node speaks: one member with other ones would make memberlist
// refuse every exchange that mentions it.
func checkAddress(id peer.ID, n *memberlist.Node) error {
	if n.Port != transport.Port || !n.Addr.Equal(transport.IP(id)) {
		return errors.New("its address does not follow from its ID")
	}
	if n.PMin > protocolVersion || n.PMax < protocolVersion || n.PCur != protocolVersion ||
		n.DMin > serfVersion || n.DMax < serfVersion || n.DCur != serfVersion {
		return fmt.Errorf("it speaks versions %d and %d of the gossip protocols, this node %d and %d",
			n.PCur, n.DCur, protocolVersion, serfVersion)
	}
	return nil
}

// verify looks at tags that are not those known already.
func (t *tags) verify(v *verified, meta []byte) (core.Tag, error) {
	tag, err := tagOf(meta)
	if err != nil {
		return tag, err
	}
	if v.meta != nil {
		if err := core.Follow(v.tag, tag); err != nil {
			return tag, err
		}
	}
	t.verifies++
	if !identity.VerifySignature(v.id, tag.Signed(core.ID(v.id)), tag.Signature[:]) {
		return tag, errors.New("its tag is not signed by itself")
	}
	return tag, nil
}

// makeRoom lets go of the member forgotten longest, if there are too many.
func (t *tags) makeRoom() error {
	if len(t.byName) < transport.MaxMembers {
		return nil
	}
	oldest := ""
	for name, v := range t.byName {
		if !v.forgone.IsZero() && (oldest == "" || v.forgone.Before(t.byName[oldest].forgone)) {
			oldest = name
		}
	}
	if oldest == "" {
		return fmt.Errorf("there are %d members already", len(t.byName))
	}
	delete(t.byName, oldest)
	return nil
}

// forgotten says that Serf has forgotten a member. What it last announced is kept while
// there is room: an older announcement must not come back.
func (t *tags) forgotten(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if v := t.byName[name]; v != nil {
		v.forgone = time.Now()
	}
}

func (t *tags) counts() (refused, verified uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.count, t.verifies
}
