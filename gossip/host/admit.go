package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	libp2phost "github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	manet "github.com/multiformats/go-multiaddr/net"

	"github.com/filchsched/filch/gossip/identity"
)

// This file is the admission to a host that is not filch's own (foreign.go): there the certificates travel on a
// stream. libp2p has proven both peer IDs before, and a certificate is bound to one, so a copy of it is worth nothing to others.
//
//	caller → its certificate, end
//	other  → a byte: 1 admitted, 0 not a member; its certificate, end

// admitProtocol is the name of that stream.
const admitProtocol protocol.ID = "/filch/admit/1"

const (
	admitTime  = 5 * time.Second // for all of it
	maxAdmits  = 64              // that are served at once: strangers may call
	admittedOK = 1
)

// ErrNotAdmitted says that the peer does not take this node for a member, although the peer's own certificate is good.
var ErrNotAdmitted = errors.New("not a member of this cluster")

// An admitter knows who has proven to be a member, for as long as there is a connection.
type admitter struct {
	host     libp2phost.Host
	self     identity.Identity
	secret   identity.Secret
	refusals *refusals
	room     chan struct{} // a token for each that is served
	ctx      context.Context
	stop     context.CancelFunc
	going    sync.WaitGroup

	mu       sync.Mutex
	members  map[peer.ID]struct{}      // guarded by mu
	greeting map[peer.ID]chan struct{} // closed when that greeting has ended; guarded by mu
	over     bool                      // guarded by mu
	admitted atomic.Uint64
}

func newAdmitter(h libp2phost.Host, id identity.Identity, secret identity.Secret, r *refusals) *admitter {
	a := &admitter{
		host: h, self: id, secret: secret, refusals: r, room: make(chan struct{}, maxAdmits),
		members: make(map[peer.ID]struct{}), greeting: make(map[peer.ID]chan struct{}),
	}
	a.ctx, a.stop = context.WithCancel(context.Background())
	return a
}

func (a *admitter) close() {
	a.mu.Lock()
	a.over = true
	a.mu.Unlock()
	a.stop()
	a.going.Wait()
}

func (a *admitter) knows(id peer.ID) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, ok := a.members[id]
	return ok
}

func (a *admitter) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.members)
}

func (a *admitter) forget(id peer.ID) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.members, id)
}

func (a *admitter) admit(id peer.ID) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, ok := a.members[id]; !ok {
		a.members[id] = struct{}{}
		a.admitted.Add(1)
	}
}

// certificate is this node's own, fresh.
func (a *admitter) certificate() []byte {
	now := time.Now()
	return a.secret.Issue(a.self.ID(), now, now.Add(DefaultCertLifetime)).Marshal()
}

// judge says why what a peer shows does not make it a member.
func (a *admitter) judge(id peer.ID, shown []byte) error {
	c, err := identity.ParseCertificate(shown)
	if err != nil {
		return err
	}
	return c.Verify(a.secret.Cluster(), id, time.Now())
}

// greet has this node and a peer prove themselves to each other, unless they have. Who comes while somebody else is at it
// waits for the same answer.
func (a *admitter) greet(ctx context.Context, id peer.ID) error {
	for {
		a.mu.Lock()
		_, known := a.members[id]
		other := a.greeting[id]
		if known || a.over {
			over := a.over
			a.mu.Unlock()
			if over {
				return errors.New("the node has left its libp2p host")
			}
			return nil
		}
		if other == nil {
			mine := make(chan struct{})
			a.greeting[id] = mine
			a.going.Add(1)
			a.mu.Unlock()
			err := a.ask(ctx, id)
			a.mu.Lock()
			delete(a.greeting, id)
			a.mu.Unlock()
			close(mine)
			a.going.Done()
			return err
		}
		a.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// ask is the caller's side.
func (a *admitter) ask(ctx context.Context, id peer.ID) error {
	ctx, cancel := context.WithTimeout(ctx, admitTime)
	defer cancel()
	defer context.AfterFunc(a.ctx, cancel)()
	s, err := a.host.NewStream(ctx, id, admitProtocol)
	if err != nil {
		return fmt.Errorf("%s serves no filch node: %w", id, err)
	}
	defer context.AfterFunc(ctx, func() { s.Reset() })()
	if _, err = s.Write(a.certificate()); err == nil {
		err = s.CloseWrite()
	}
	var b []byte
	if err == nil {
		b, err = io.ReadAll(io.LimitReader(s, 2+identity.MaxCertificate))
	}
	if err != nil {
		s.Reset()
		return fmt.Errorf("%s does not answer: %w", id, err)
	}
	s.Close()
	if len(b) == 0 {
		a.refusals.refuse(NoCertificate, nil, ErrNoCertificate)
		return ErrNoCertificate
	}
	if err := a.judge(id, b[1:]); err != nil {
		a.refusals.refuse(reasonOf(err), nil, err)
		return err
	}
	if b[0] != admittedOK {
		return &RefusedError{Peer: id, Cause: ErrNotAdmitted}
	}
	a.admit(id)
	return nil
}

// serve is the other side. The caller may be anybody.
func (a *admitter) serve(s network.Stream) {
	a.mu.Lock()
	if a.over {
		a.mu.Unlock()
		s.Reset()
		return
	}
	a.going.Add(1)
	a.mu.Unlock()
	defer a.going.Done()
	id := s.Conn().RemotePeer()
	select {
	case a.room <- struct{}{}:
		defer func() { <-a.room }()
	default:
		s.Reset()
		a.refusals.refuse(Crowded, nil, nil)
		return
	}
	defer context.AfterFunc(a.ctx, func() { s.Reset() })()
	s.SetDeadline(time.Now().Add(admitTime))
	shown, err := io.ReadAll(io.LimitReader(s, identity.MaxCertificate+1))
	if err != nil {
		s.Reset()
		a.refusals.refuse(Silent, nil, err)
		return
	}
	if len(shown) > identity.MaxCertificate { // there may be much more
		s.Reset()
		a.refusals.refuse(NotFilch, nil, identity.ErrMalformed)
		return
	}
	answer := make([]byte, 1, 1+identity.MaxCertificate)
	if err := a.judge(id, shown); err != nil {
		from, _ := manet.ToNetAddr(s.Conn().RemoteMultiaddr())
		a.refusals.refuse(reasonOf(err), from, err)
	} else {
		a.admit(id)
		answer[0] = admittedOK
	}
	if _, err := s.Write(append(answer, a.certificate()...)); err != nil {
		s.Reset()
		return
	}
	s.Close()
}
