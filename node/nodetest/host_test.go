package nodetest_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	libp2pprotocol "github.com/libp2p/go-libp2p/core/protocol"

	"github.com/filchsched/filch/gossip/identity"
	"github.com/filchsched/filch/node"
)

// programHost is a libp2p host as a program makes it.
func programHost(t *testing.T, o ...libp2p.Option) host.Host {
	t.Helper()
	h, err := libp2p.New(append(o, libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0"), libp2p.DisableMetrics(), libp2p.DisableRelay())...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return h
}

// onHost starts a node over a program's host.
func onHost(t *testing.T, h host.Host, join ...string) *node.Node {
	t.Helper()
	n, err := node.Start(t.Context(), node.Config{Name: h.ID().String(), Workers: 1, Host: h, Join: join, DrainTimeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Drain(context.Background()) })
	return n
}

func joinString(t *testing.T, n *node.Node) string {
	t.Helper()
	s, err := n.JoinString(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func waitMembers(t *testing.T, n *node.Node, want int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	alive := func() (k int) {
		for _, m := range n.Members() {
			if m.State == "alive" && m.Cores > 0 {
				k++
			}
		}
		return k
	}
	if alive() == want {
		return
	}
	for range n.Watch(ctx) {
		if alive() == want {
			return
		}
	}
	t.Fatalf("%d members, not %d", alive(), want)
}

// TestProgramsOwnHosts: three programs with hosts of their own are a cluster, beside what the programs say to each other.
func TestProgramsOwnHosts(t *testing.T) {
	t.Parallel()
	hosts := []host.Host{programHost(t), programHost(t), programHost(t)}
	nodes := []*node.Node{onHost(t, hosts[0])}
	for _, h := range hosts[1:] {
		nodes = append(nodes, onHost(t, h, joinString(t, nodes[0])))
	}
	for _, n := range nodes {
		waitMembers(t, n, 3)
	}
	for i, h := range hosts {
		if nodes[i].ID() != h.ID().String() {
			t.Errorf("node %d is %s and its host %s", i, nodes[i].ID(), h.ID())
		}
		at, err := place.Call(t.Context(), nodes[0], struct{}{}, node.At(h.ID().String()))
		if err != nil || at != h.ID().String() {
			t.Errorf("at %d: %q, %v", i, at, err)
		}
	}
	// The program's own protocol.
	hosts[1].SetStreamHandler("/program/1", func(s network.Stream) {
		io.Copy(s, s)
		s.Close()
	})
	s, err := hosts[0].NewStream(t.Context(), hosts[1].ID(), "/program/1")
	if err != nil {
		t.Fatal(err)
	}
	s.Write([]byte("hello"))
	s.CloseWrite()
	if b, err := io.ReadAll(s); string(b) != "hello" || err != nil {
		t.Errorf("%q, %v", b, err)
	}
	// A node ends, its host does not, and can be a node again.
	if err := nodes[2].Drain(t.Context()); err != nil {
		t.Error(err)
	}
	if len(hosts[2].Addrs()) == 0 {
		t.Error("the host was closed with the node")
	}
	again := onHost(t, hosts[2], joinString(t, nodes[0]))
	waitMembers(t, again, 3)
	if v, err := square.Call(t.Context(), nodes[0], 5, node.At(again.ID())); v != 25 || err != nil {
		t.Errorf("%d, %v", v, err)
	}
}

// TestStrangersOnAProgramsHost: who cannot prove to be a member gets no stream, whatever it says, and hears why if it is a node.
func TestStrangersOnAProgramsHost(t *testing.T) {
	t.Parallel()
	h, other := programHost(t), programHost(t)
	n := onHost(t, h)
	foreign := onHost(t, other) // of a cluster of its own
	// The other's string, with the address of the first one's host: each is told that the other's cluster is another.
	liar := identity.Invitation{Peers: []peer.AddrInfo{{ID: h.ID(), Addrs: h.Addrs()}}}
	theirs, err := identity.ParseInvitation(joinString(t, foreign))
	if err != nil {
		t.Fatal(err)
	}
	liar.Secret = theirs.Secret
	failed := node.Config{Workers: 1, Host: programHost(t), Join: []string{liar.Encode()}}
	lost, err := node.New(failed)
	if err != nil {
		t.Fatal(err)
	}
	var wrongCluster *identity.WrongClusterError
	if err := lost.Run(t.Context()); !errors.As(err, &wrongCluster) {
		t.Errorf("joining with the wrong secret: %v", err)
	}
	wrong := programHost(t)
	wrong.Peerstore().AddAddrs(h.ID(), h.Addrs(), time.Hour)
	if err := wrong.Connect(t.Context(), peer.AddrInfo{ID: h.ID(), Addrs: h.Addrs()}); err != nil {
		t.Fatal(err)
	}
	for _, protocol := range []string{"/filch/packet/1", "/filch/steal/control/1", "/filch/record/1"} {
		s, err := wrong.NewStream(t.Context(), h.ID(), libp2pprotocol.ID(protocol))
		if err != nil {
			continue
		}
		s.SetDeadline(time.Now().Add(10 * time.Second))
		s.Write([]byte{0, 5, 1, 2, 3, 4, 5})
		if _, err := io.ReadAll(s); err == nil {
			t.Errorf("%s was served to a stranger", protocol)
		}
	}
	for name, garbage := range map[string][]byte{"nothing": {}, "garbage": []byte("garbage"), "much": bytes.Repeat([]byte{1}, 1<<20)} {
		s, err := wrong.NewStream(t.Context(), h.ID(), "/filch/admit/1")
		if err != nil {
			t.Fatal(err)
		}
		s.SetDeadline(time.Now().Add(10 * time.Second))
		s.Write(garbage)
		s.CloseWrite()
		if b, err := io.ReadAll(s); err == nil && (len(b) == 0 || b[0] != 0) {
			t.Errorf("%s: %d bytes, %v", name, len(b), err)
		}
	}
	if len(n.Members()) != 1 {
		t.Errorf("%d members", len(n.Members()))
	}
}

// TestHostsThatCannotBeNodes are refused with what is wrong.
func TestHostsThatCannotBeNodes(t *testing.T) {
	t.Parallel()
	key, _, err := crypto.GenerateKeyPair(crypto.Secp256k1, 0)
	if err != nil {
		t.Fatal(err)
	}
	h := programHost(t, libp2p.Identity(key))
	good := programHost(t)
	onHost(t, good)
	for says, c := range map[string]node.Config{
		"Ed25519":         {Host: h},
		"leave Listen":    {Host: programHost(t), Listen: []string{"127.0.0.1:0"}},
		"one host is one": {Host: good},
	} {
		if _, err := node.Start(t.Context(), c); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", says, err)
		}
	}
	if _, err := node.New(node.Config{Host: good, MDNS: true}); !errors.Is(err, node.ErrConfig) {
		t.Errorf("%v", err)
	}
}
