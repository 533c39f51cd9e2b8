package node

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/filchsched/filch/gossip/identity"
)

// self is who a node is for as long as it runs.
type self struct {
	identity    identity.Identity
	secret      identity.Secret
	cluster     identity.Cluster
	fresh       bool // nothing was remembered of this cluster before
	incarnation uint64
	taskKey     [32]byte // signs what is granted to others
	dir         string   // "" without a disk
}

// remember takes the data directory and reads, or makes, who this node is. The start is
// counted on disk when it returns. Without a data directory the node is somebody new.
func (n *Node) remember() (*dataDir, error) {
	if n.config.DataDir == "" {
		n.self = self{identity: identity.New(), incarnation: 1, fresh: true}
		rand.Read(n.self.taskKey[:]) // never fails
		if n.self.secret = identity.NewSecret(); n.invite.secret != nil {
			n.self.secret = *n.invite.secret
		}
		n.self.cluster = n.self.secret.Cluster()
		if n.config.Host == nil {
			return nil, nil
		}
		n.self.incarnation = lives.next(time.Now())
		return nil, n.self.ofHost(n.config.Host)
	}
	dir, err := openDataDir(n.config.DataDir)
	if err != nil {
		return nil, err
	}
	if n.self, err = dir.self(n.invite.secret); err == nil && n.config.Host != nil {
		err = n.self.ofHost(n.config.Host)
	}
	if err != nil {
		dir.Close()
		return nil, err
	}
	return dir, nil
}

// lives numbers the lives of nodes that have an identity and no disk: a peer that comes back has to have a higher number
// than before. Seconds fit into the 32 bits that a number has, until 2106.
var lives lifeCount

type lifeCount struct {
	mu   sync.Mutex
	last uint64
}

func (l *lifeCount) next(now time.Time) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = max(l.last+1, uint64(now.Unix()))
	return l.last
}

// self reads all of a data directory. The secret comes first: a join string for another
// cluster is refused before anything is made or counted.
func (d *dataDir) self(invited *identity.Secret) (s self, err error) {
	s.dir = d.path
	s.fresh, err = d.lacks(fileSecret)
	if err != nil {
		return s, err
	}
	if s.secret, err = d.secret(invited); err != nil {
		return s, err
	}
	if s.identity, err = d.identity(); err != nil {
		return s, err
	}
	s.cluster = s.secret.Cluster()
	if s.taskKey, err = d.taskKey(); err != nil {
		return s, err
	}
	s.incarnation, err = d.nextIncarnation()
	return s, err
}

// lacks tells whether there is no such file.
func (d *dataDir) lacks(name string) (bool, error) {
	_, err := os.Lstat(d.file(name))
	if errors.Is(err, os.ErrNotExist) {
		return true, nil
	}
	return false, err
}

// An invitation is what all join strings say together.
type invitation struct {
	secret *identity.Secret // nil without a join string
	peers  []peer.AddrInfo
}

// readInvitations reads join strings, which have to be of one cluster.
func readInvitations(texts []string) (invitation, error) {
	var all invitation
	for i, text := range texts {
		which := "join string"
		if len(texts) > 1 {
			which = fmt.Sprintf("join string %d of %d", i+1, len(texts))
		}
		if strings.TrimSpace(text) == "" {
			return all, fmt.Errorf("the %s is empty", which)
		}
		one, err := identity.ParseInvitation(text)
		if err != nil {
			return all, fmt.Errorf("the %s is no good: %w", which, err)
		}
		if all.secret == nil {
			all.secret = &one.Secret
		} else if !all.secret.Equal(one.Secret) {
			return all, fmt.Errorf("the %s is for cluster %s, and those before for %s: a node is a member of one cluster", which, one.Secret.Cluster().ID(), all.secret.Cluster().ID())
		}
		for _, p := range one.Peers {
			same := func(q peer.AddrInfo) bool { return q.ID == p.ID }
			if at := slices.IndexFunc(all.peers, same); at >= 0 {
				all.peers[at].Addrs = append(all.peers[at].Addrs, p.Addrs...)
			} else {
				all.peers = append(all.peers, p)
			}
		}
	}
	return all, nil
}

// InvitedTo returns the public name of the cluster that join strings are of, as About has
// it. The error says what is wrong with them.
func InvitedTo(joinStrings []string) (cluster string, err error) {
	i, err := readInvitations(joinStrings)
	if err != nil || i.secret == nil {
		return "", err
	}
	return i.secret.Cluster().ID(), nil
}

// JoinString returns what another machine needs to join this node's cluster: the secret,
// and where this node is. Keep it as one keeps a password.
func (n *Node) JoinString(ctx context.Context) (string, error) {
	j, err := api{n}.JoinString(ctx)
	return j.JoinString, err
}
