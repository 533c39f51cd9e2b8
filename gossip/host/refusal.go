package host

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/filchsched/filch/gossip/identity"
)

// A Reason is why a connection was refused. It is a label of a metric, so there
// are few.
type Reason string

// Why connections are refused.
const (
	WrongCluster  Reason = "wrong-cluster"  // started with another secret
	NoCertificate Reason = "no-certificate" // a libp2p node that is no filch node
	Expired       Reason = "expired"        // the certificate, or one of the clocks
	NotForPeer    Reason = "not-for-peer"   // another peer's certificate
	Forged        Reason = "forged"         // signature wrong, or malformed
	NotFilch      Reason = "not-filch"      // spoke something else
	Abandoned     Reason = "abandoned"      // went away before it was through, having said nothing wrong
	Silent        Reason = "silent"         // said nothing, or not enough, in time
	Crowded       Reason = "crowded"        // too many unadmitted connections at once
	TooMany       Reason = "too-many"       // an admitted peer with too many connections
)

// reasonOf finds the reason in an error of admission.
func reasonOf(err error) Reason {
	var wrong *identity.WrongClusterError
	var expired *identity.ExpiredError
	var other *identity.NotForPeerError
	switch {
	case errors.As(err, &wrong):
		return WrongCluster
	case errors.As(err, &expired):
		return Expired
	case errors.As(err, &other):
		return NotForPeer
	case errors.Is(err, ErrNoCertificate):
		return NoCertificate
	case errors.Is(err, identity.ErrForged), errors.Is(err, identity.ErrMalformed):
		return Forged
	}
	return NotFilch
}

// logEvery is how often one reason is logged. A scanner, or a node with an old
// secret that tries again and again, must not fill a disk.
const logEvery = time.Minute

// refusals counts refused connections, and logs the first of each reason within
// [logEvery] with the number of those that were not logged. Safe for concurrent use.
type refusals struct {
	log *slog.Logger
	now func() time.Time

	mu     sync.Mutex // guards all below
	counts map[Reason]uint64
	logged map[line]logged
}

// A line is a kind of line in the log.
type line struct {
	why   Reason
	level slog.Level
}

type logged struct {
	at         time.Time
	suppressed uint64 // since then
}

func newRefusals(log *slog.Logger, now func() time.Time) *refusals {
	return &refusals{log: log, now: now, counts: make(map[Reason]uint64), logged: make(map[line]logged)}
}

// refuse counts, and logs if from is not nil: a peer that this node dialled is
// told about in the error to the caller instead.
func (r *refusals) refuse(why Reason, from net.Addr, err error) {
	r.note(slog.LevelWarn, why, from, err)
}

// expect counts a connection that came to nothing as they do in a healthy cluster, and
// logs it for those who look closely. Peers are dialled over QUIC and TCP at once; the dial
// that loses is given up wherever it is. TCP is closed then, which makes it Abandoned;
// QUIC says nothing any more, which makes it Silent.
func (r *refusals) expect(why Reason, from net.Addr, err error) {
	r.note(slog.LevelDebug, why, from, err)
}

func (r *refusals) note(level slog.Level, why Reason, from net.Addr, err error) {
	r.mu.Lock()
	r.counts[why]++
	if from == nil {
		r.mu.Unlock()
		return
	}
	kind := line{why, level}
	last, seen := r.logged[kind]
	now := r.now()
	if seen && now.Sub(last.at) < logEvery && !now.Before(last.at) {
		last.suppressed++
		r.logged[kind] = last
		r.mu.Unlock()
		return
	}
	r.logged[kind] = logged{at: now}
	r.mu.Unlock()
	r.log.LogAttrs(context.Background(), level, "refused a connection",
		slog.String("reason", string(why)), slog.String("from", from.String()),
		slog.Any("error", err), slog.Uint64("suppressed", last.suppressed))
}

func (r *refusals) snapshot() map[Reason]uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := make(map[Reason]uint64, len(r.counts))
	for why, n := range r.counts {
		m[why] = n
	}
	return m
}
