package host

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"net"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	libp2ptls "github.com/libp2p/go-libp2p/p2p/security/tls"

	"github.com/filchsched/filch/gossip/identity"
)

// certificateOID marks the extension of a TLS certificate that holds the
// membership certificate. The arc 2.25 is open to everybody; the number is
// "filc" and fits into 31 bits, as 32-bit machines need it.
var certificateOID = asn1.ObjectIdentifier{2, 25, 0x66696c63}

// alpn is what both sides offer in the TLS handshake. Something that speaks
// another protocol on our port fails here, before it sees a certificate.
const alpn = "filch/1"

// ErrNoCertificate says that a peer presented a valid libp2p identity without a
// membership certificate: it is no node of any cluster.
var ErrNoCertificate = errors.New("the peer presented no membership certificate; it is not a filch node, or one of another version")

// RefusedError says that the peer refused this node, although this node found
// the peer's own certificate good.
type RefusedError struct {
	Peer  peer.ID
	Cause error // what came back from the peer, a TLS alert
}

// Error says what to do: with the same secret on both sides, clocks are what remains.
func (e *RefusedError) Error() string {
	return fmt.Sprintf("%s refused this node's membership certificate (%v); check the clocks of both machines, and the peer's log", e.Peer, e.Cause)
}

// Unwrap returns the cause.
func (e *RefusedError) Unwrap() error { return e.Cause }

// admission presents this node's membership certificate in TLS handshakes and
// judges those of others. Both sides of every connection, over QUIC and over
// TCP, take their tls.Config from here, so nothing is said to a peer, and no
// stream of it is accepted, before its certificate was found good.
type admission struct {
	self     identity.Identity
	secret   identity.Secret
	cluster  identity.Cluster
	now      func() time.Time
	lifetime time.Duration
	refusals *refusals

	mu    sync.Mutex
	tls   *libp2ptls.Identity // holds the certificate below; replaced, never altered
	from  time.Time           // since when the certificate is valid
	renew time.Time           // from when on a new one is issued
}

func newAdmission(cfg Config, r *refusals) *admission {
	return &admission{
		self: cfg.Identity, secret: cfg.Secret, cluster: cfg.Secret.Cluster(),
		now: cfg.Now, lifetime: cfg.CertLifetime, refusals: r,
	}
}

// presented returns the TLS identity for the next handshake. The membership
// certificate inside is renewed here when two thirds of its life are over, or
// when the clock was set back before its beginning: no timer is needed, and
// connections that exist do not notice.
func (a *admission) presented() (*libp2ptls.Identity, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.now()
	if a.tls != nil && now.Before(a.renew) && !now.Before(a.from) {
		return a.tls, nil
	}
	cert := a.secret.Issue(a.self.ID(), now, now.Add(a.lifetime))
	id, err := libp2ptls.NewIdentity(a.self.Key(), libp2ptls.WithCertTemplate(certificateTemplate(cert)))
	if err != nil {
		return nil, fmt.Errorf("making a TLS certificate: %w", err)
	}
	a.tls, a.from, a.renew = id, cert.From(), now.Add(a.lifetime*2/3)
	return id, nil
}

// certificateTemplate is a fresh one each time, because libp2p adds to it. Its
// own dates include every clock: expiry is the membership certificate's matter.
func certificateTemplate(cert identity.Certificate) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber:    big.NewInt(1),
		Subject:         pkix.Name{SerialNumber: "1"},
		NotBefore:       time.Date(1950, 1, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:        time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
		ExtraExtensions: []pkix.Extension{{Id: certificateOID, Value: cert.Marshal()}},
	}
}

// A verdict is what one handshake found out about the peer. The handshake
// writes it, and who started the handshake reads it after the end.
type verdict struct {
	mu  sync.Mutex
	key crypto.PubKey
	err error
}

func (v *verdict) result() (crypto.PubKey, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.key, v.err
}

// A caller is a peer that dialled this node, in the handshake.
type caller struct {
	addr net.Addr
	bad  func() // told that the peer was refused, and counted
}

// config returns the configuration of one handshake. remote is whom to expect,
// empty on the accepting side; from is the caller, nil on the dialling side.
//
// The accepting side ends the handshake when the peer is no member. The dialling
// side goes on, so that the other side sees its certificate and can say in its log
// who tried; the caller of config looks at the verdict afterwards, and closes.
func (a *admission) config(remote peer.ID, from *caller) (*tls.Config, *verdict, error) {
	id, err := a.presented()
	if err != nil {
		return nil, nil, err
	}
	conf, keys := id.ConfigForPeer(remote)
	conf.NextProtos = []string{alpn}
	checkKey := conf.VerifyPeerCertificate
	v := &verdict{}
	conf.VerifyPeerCertificate = func(raw [][]byte, chains [][]*x509.Certificate) error {
		notKey := checkKey(raw, chains)
		member := notKey
		var key crypto.PubKey
		if notKey == nil {
			key = <-keys // there is one when checkKey was content
			member = a.judge(raw[0], key)
		}
		v.mu.Lock()
		v.key, v.err = key, member
		v.mu.Unlock()
		if member == nil {
			return nil
		}
		if from == nil {
			a.refusals.refuse(reasonOf(member), nil, member)
			return notKey
		}
		from.bad()
		a.refusals.refuse(reasonOf(member), from.addr, member)
		return member
	}
	return conf, v, nil
}

// farewell is how long the dialling side, having found that the other is no
// member of its cluster, waits for the other to find the same.
const farewell = time.Second

// judge checks the membership certificate inside a TLS certificate whose key
// was found to belong to the peer with the public key.
func (a *admission) judge(raw []byte, key crypto.PubKey) error {
	id, err := peer.IDFromPublicKey(key)
	if err != nil {
		return err
	}
	cert, err := x509.ParseCertificate(raw)
	if err != nil {
		return err
	}
	for _, ext := range cert.Extensions {
		if !ext.Id.Equal(certificateOID) {
			continue
		}
		member, err := identity.ParseCertificate(ext.Value)
		if err != nil {
			return err
		}
		return member.Verify(a.cluster, id, a.now())
	}
	return ErrNoCertificate
}
