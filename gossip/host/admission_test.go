package host

import (
	"crypto/x509"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	libp2ptls "github.com/libp2p/go-libp2p/p2p/security/tls"

	"github.com/filchsched/filch/gossip/identity"
)

// overBoth runs a test over QUIC and over TCP.
func overBoth(t *testing.T, f func(t *testing.T, transport string)) {
	for _, transport := range []string{"quic-v1", "tcp"} {
		t.Run(transport, func(t *testing.T) { f(t, transport) })
	}
}

// logging gives a host a logbook.
func logging(l *logbook) func(*Config) { return func(c *Config) { c.Logger = l.logger() } }

// refused requires that the member has no connection and counted the reason.
func refused(t *testing.T, member *Host, why Reason, log *logbook) {
	t.Helper()
	line := log.wait(t, "reason="+string(why))
	if !strings.Contains(line, "level=WARN") || !strings.Contains(line, "from=127.0.0.1:") {
		t.Errorf("logged %s", line)
	}
	s := member.Stats()
	if s.Connections != 0 || s.Admitted != 0 || s.Refused[why] == 0 {
		t.Errorf("%+v", s)
	}
}

// present has the host present a certificate that is not its own choice.
func present(t *testing.T, h *Host, template *x509.Certificate) {
	t.Helper()
	id, err := libp2ptls.NewIdentity(h.cfg.Identity.Key(), libp2ptls.WithCertTemplate(template))
	if err != nil {
		t.Fatal(err)
	}
	h.admission.mu.Lock()
	defer h.admission.mu.Unlock()
	h.admission.tls, h.admission.from, h.admission.renew = id, time.Time{}, time.Now().Add(time.Hour)
}

func TestWrongSecretIsToldToBothSides(t *testing.T) {
	overBoth(t, func(t *testing.T, transport string) {
		log := newLogbook()
		member := start(t, logging(log))
		joiner := start(t, func(c *Config) { c.Secret = identity.Secret(seed(7)) })
		err := joiner.Connect(within(t, patience), only(transport, info(member)))
		var wrong *identity.WrongClusterError
		if !errors.As(err, &wrong) {
			t.Fatalf("the joiner was told: %v", err)
		}
		theirs, ours := secret.Cluster().ID(), identity.Secret(seed(7)).Cluster().ID()
		if wrong.Theirs != theirs || wrong.Ours != ours {
			t.Errorf("%+v", wrong)
		}
		refused(t, member, WrongCluster, log)
		if line := log.with("wrong-cluster")[0]; !strings.Contains(line, ours) {
			t.Errorf("the member's log does not say who tried: %s", line)
		}
		if s := joiner.Stats(); s.Connections != 0 || s.Refused[WrongCluster] == 0 {
			t.Errorf("the joiner: %+v", s)
		}
	})
}

// The member's log has one line for a joiner that tries again and again.
func TestRefusalsAreLoggedOncePerMinute(t *testing.T) {
	log := newLogbook()
	now := time.Now()
	clock := func() time.Time { return now }
	r := newRefusals(log.logger(), clock)
	at := addrOfText("127.0.0.1:1")
	for range 1000 {
		r.refuse(WrongCluster, at, errors.New("x"))
		r.refuse(Expired, at, errors.New("x"))
	}
	if n := len(log.with("")); n != 2 {
		t.Errorf("%d lines in one minute", n)
	}
	now = now.Add(logEvery)
	r.refuse(WrongCluster, at, errors.New("x"))
	if lines := log.with("suppressed=999"); len(lines) != 1 {
		t.Errorf("logged:\n%s", strings.Join(log.with(""), ""))
	}
	now = now.Add(-24 * time.Hour) // the clock was corrected
	r.refuse(WrongCluster, at, errors.New("x"))
	if n := len(log.with("")); n != 4 {
		t.Errorf("%d lines after the clock was set back", n)
	}
	if n := r.snapshot()[WrongCluster]; n != 1002 {
		t.Errorf("counted %d", n)
	}
}

func TestNoCertificateIsRefused(t *testing.T) {
	overBoth(t, func(t *testing.T, transport string) {
		log := newLogbook()
		member, stranger := start(t, logging(log)), start(t)
		template := certificateTemplate(identity.Certificate{})
		template.ExtraExtensions = nil
		present(t, stranger, template)
		err := stranger.Connect(within(t, patience), only(transport, info(member)))
		var told *RefusedError
		if !errors.As(err, &told) || told.Peer != member.ID() {
			t.Errorf("the stranger was told: %v", err)
		}
		refused(t, member, NoCertificate, log)

		// And the other way round: a member dials a stranger.
		if err := member.Connect(within(t, patience), only(transport, info(stranger))); !errors.Is(err, ErrNoCertificate) {
			t.Errorf("the member was told: %v", err)
		}
	})
}

func TestExpiredCertificateIsRefused(t *testing.T) {
	overBoth(t, func(t *testing.T, transport string) {
		log := newLogbook()
		member, late := start(t, logging(log)), start(t)
		day := 24 * time.Hour
		old := secret.Issue(late.ID(), time.Now().Add(-30*day), time.Now().Add(-day-time.Hour))
		present(t, late, certificateTemplate(old))
		err := late.Connect(within(t, patience), only(transport, info(member)))
		var told *RefusedError
		if !errors.As(err, &told) {
			t.Errorf("the late one was told: %v", err)
		}
		refused(t, member, Expired, log)
		var expired *identity.ExpiredError
		if err := member.Connect(within(t, patience), only(transport, info(late))); !errors.As(err, &expired) {
			t.Errorf("the member was told: %v", err)
		}

		// A day of slack: clocks are wrong.
		slack := secret.Issue(late.ID(), time.Now().Add(-30*day), time.Now().Add(-day+time.Hour))
		present(t, late, certificateTemplate(slack))
		connect(t, late, only(transport, info(member)))
	})
}

// A node whose clock is far off is refused with an error that names the clock, on
// both sides, and gets in once its clock is right, without a restart.
func TestWrongClockIsTold(t *testing.T) {
	overBoth(t, func(t *testing.T, transport string) {
		var clock atomicTime
		clock.set(time.Unix(3600, 0)) // a Raspberry Pi just after power on
		member := start(t)
		pi := start(t, func(c *Config) { c.Now = clock.get })
		err := pi.Connect(within(t, patience), only(transport, info(member)))
		var expired *identity.ExpiredError
		if !errors.As(err, &expired) || !strings.Contains(err.Error(), "1970-01-01T01:00:00Z here; check the clocks") {
			t.Fatalf("told: %v", err)
		}
		clock.set(time.Now())
		connect(t, pi, only(transport, info(member)))
	})
}

// Expiry is looked at when a connection begins, and at no other time; and a node
// renews its own certificate by itself.
func TestExpiryNeverEndsALiveChannel(t *testing.T) {
	overBoth(t, func(t *testing.T, transport string) {
		var clock atomicTime
		clock.set(time.Now())
		mine := func(c *Config) { c.Now, c.CertLifetime = clock.get, 24*time.Hour }
		a, b, c := start(t, mine), start(t, mine), start(t, mine)
		serveEcho(b)
		connect(t, a, only(transport, info(b)))
		channel := a.swarm.ConnsToPeer(b.ID())[0]
		first := a.admission.tls

		clock.set(clock.get().Add(60 * 24 * time.Hour))
		says(t, a, b.ID(), "the certificates expired weeks ago")
		if conns := a.swarm.ConnsToPeer(b.ID()); len(conns) != 1 || conns[0] != channel {
			t.Errorf("connections: %v", conns)
		}
		connect(t, a, only(transport, info(c)))
		if a.admission.tls == first {
			t.Error("the certificate was not renewed")
		}
		if channel.IsClosed() {
			t.Error("renewal closed a channel")
		}
	})
}

func TestCertificateOfAnotherPeerIsRefused(t *testing.T) {
	overBoth(t, func(t *testing.T, transport string) {
		log := newLogbook()
		member, thief, victim := start(t, logging(log)), start(t), start(t)
		stolen := secret.Issue(victim.ID(), time.Now(), time.Now().Add(time.Hour))
		present(t, thief, certificateTemplate(stolen))
		if err := thief.Connect(within(t, patience), only(transport, info(member))); err == nil {
			t.Error("the thief got in")
		}
		refused(t, member, NotForPeer, log)
	})
}

func TestForgedCertificateIsRefused(t *testing.T) {
	overBoth(t, func(t *testing.T, transport string) {
		log := newLogbook()
		member, forger := start(t, logging(log)), start(t)
		b := secret.Issue(forger.ID(), time.Now(), time.Now().Add(time.Hour)).Marshal()
		b[len(b)-1] ^= 1
		template := certificateTemplate(identity.Certificate{})
		template.ExtraExtensions[0].Value = b
		present(t, forger, template)
		if err := forger.Connect(within(t, patience), only(transport, info(member))); err == nil {
			t.Error("the forger got in")
		}
		refused(t, member, Forged, log)
	})
}

// Whoever answers at a peer's address has to be that peer.
func TestAnotherMemberAtTheAddressIsRefused(t *testing.T) {
	overBoth(t, func(t *testing.T, transport string) {
		a, b, c := start(t), start(t), start(t)
		wrong := peer.AddrInfo{ID: c.ID(), Addrs: only(transport, info(b)).Addrs}
		if err := a.Connect(within(t, patience), wrong); err == nil {
			t.Error("one member passed for another")
		}
		if n := len(a.swarm.Conns()); n != 0 {
			t.Errorf("%d connections", n)
		}
	})
}
