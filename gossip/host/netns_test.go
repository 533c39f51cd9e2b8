//go:build linux

package host

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/filchsched/filch/gossip/identity"
)

// inside names the test that a child process is to run.
const inside = "FILCH_TEST_IN_NAMESPACE"

// namespaced runs a test in a network namespace of its own, as a child process:
// a machine with loopback, 10.77.0.1 on it, and a pair of virtual Ethernet cards
// of which one has 10.78.0.1 and 10.78.0.2.
func namespaced(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	if os.Getenv(inside) == t.Name() {
		for _, line := range []string{
			"ip link set lo up",
			"ip addr add 10.77.0.1/32 dev lo",
			"ip link add v0 type veth peer name v1",
			"ip addr add 10.78.0.1/24 dev v0",
			"ip addr add 10.78.0.2/24 dev v0",
			"ip link set v0 up",
			"ip link set v1 up",
		} {
			command(t, line)
		}
		test(t)
		return
	}
	if os.Geteuid() != 0 {
		t.Skip("a network namespace needs root")
	}
	for _, tool := range []string{"ip", "iptables"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("there is no %s here", tool)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), inside+"="+t.Name())
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.EPERM) {
		t.Skip("network namespaces are not permitted here")
	}
	if err != nil {
		t.Fatalf("%v; in the namespace:\n%s", err, out)
	}
	t.Logf("in the namespace:\n%s", out)
}

func command(t *testing.T, line string) {
	t.Helper()
	words := strings.Fields(line)
	if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", line, err, out)
	}
}

func at(listen ...string) func(*Config) { return func(c *Config) { c.Listen = listen } }

// libp2p would let in 8 connections from one address, loopback excepted.
func TestSixtyPeersBehindOneAddress(t *testing.T) {
	namespaced(t, func(t *testing.T) {
		overBoth(t, func(t *testing.T, transport string) {
			hub := start(t, at("10.77.0.1:0"))
			serveEcho(hub)
			errs := make(chan error, 60)
			ctx := within(t, patience)
			for range 60 {
				peer := start(t, at("10.77.0.1:0"))
				go func() {
					err := peer.Connect(ctx, only(transport, info(hub)))
					if err == nil {
						err = trySay(ctx, peer, hub.ID(), "all at once")
					}
					errs <- err
				}()
			}
			for range 60 {
				if err := <-errs; err != nil {
					t.Error(err)
				}
			}
			if n := len(hub.swarm.Peers()); n != 60 {
				t.Errorf("%d peers of 60", n)
			}
		})
	})
}

func TestPacketsMoveToAStreamWhereUDPIsBlocked(t *testing.T) {
	namespaced(t, func(t *testing.T) {
		log := newLogbook()
		a, b := start(t, at("10.77.0.1:0"), logging(log)), start(t, at("10.77.0.1:0"))
		a.Learn(b.ID(), b.Addrs())
		b.Learn(a.ID(), a.Addrs())
		sink := listenPackets(b, 1)
		if from := sendUntil(t, a, b.ID(), 1, "over UDP", sink); from.ID != "" {
			t.Errorf("from %v", from)
		}
		command(t, "iptables -A INPUT -p udp -j DROP")
		begun := time.Now()
		if from := sendUntil(t, a, b.ID(), 1, "over a stream", sink); from.ID != a.ID() {
			t.Errorf("from %v", from)
		}
		t.Logf("packets arrive again %v after UDP was blocked", time.Since(begun).Round(10*time.Millisecond))
		if over := a.PacketsOver(b.ID()); over != "stream" {
			t.Errorf("over %s", over)
		}
		log.wait(t, "over=stream")
		if c := a.swarm.ConnsToPeer(b.ID()); len(c) == 0 || quicAddress.Matches(c[0].RemoteMultiaddr()) {
			t.Errorf("connections: %v", c)
		}

		command(t, "iptables -F INPUT")
		begun = time.Now()
		ctx := within(t, 2*retryFirst)
		for a.PacketsOver(b.ID()) != "udp" {
			sendUntil(t, a, b.ID(), 1, "whichever way", sink)
			if ctx.Err() != nil {
				t.Fatal("UDP is not tried again")
			}
		}
		t.Logf("packets take UDP again %v after it was opened", time.Since(begun).Round(10*time.Millisecond))
		log.wait(t, "over=udp")
	})
}

// A node with no UDP at all from the beginning joins over TCP.
func TestJoiningWhereUDPIsBlocked(t *testing.T) {
	namespaced(t, func(t *testing.T) {
		command(t, "iptables -A INPUT -p udp -j DROP")
		a, b := start(t, at("10.77.0.1:0")), start(t, at("10.77.0.1:0"))
		begun := time.Now()
		connect(t, a, info(b))
		t.Logf("connected after %v", time.Since(begun).Round(time.Millisecond))
		sinkA, sinkB := listenPackets(a, 1), listenPackets(b, 1)
		begun = time.Now()
		sendUntil(t, a, b.ID(), 1, "there", sinkB)
		sendUntil(t, b, a.ID(), 1, "back", sinkA)
		t.Logf("packets went both ways after %v", time.Since(begun).Round(time.Millisecond))
	})
}

// Members find each other on a local network with no address given; clusters do
// not find each other.
func TestMembersFindEachOtherByMDNS(t *testing.T) {
	namespaced(t, func(t *testing.T) {
		on := func(c *Config) { c.MDNS = true }
		other := start(t, at("10.78.0.1:0"), on, func(c *Config) { c.Secret = identity.Secret(seed(7)) })
		begun := time.Now()
		a := start(t, at("10.78.0.1:0"), on)
		b := start(t, at("10.78.0.2:0"), on)
		for _, pair := range [][2]*Host{{a, b}, {b, a}} {
			select {
			case found := <-pair[0].Found():
				if found.ID != pair[1].ID() {
					t.Errorf("found %v", found)
				}
				connect(t, pair[0], found)
			case <-within(t, patience).Done():
				t.Fatal("nobody was found")
			}
		}
		t.Logf("found each other after %v", time.Since(begun).Round(time.Millisecond))
		select {
		case found := <-other.Found():
			t.Errorf("another cluster found %v", found)
		default:
		}
	})
}

// A node that listens everywhere announces its interfaces' addresses, and follows
// when they change.
func TestAnnouncementFollowsInterfaces(t *testing.T) {
	namespaced(t, func(t *testing.T) {
		h := start(t, at("0.0.0.0:0"))
		has := func(ip string) bool {
			for _, a := range h.Addrs() {
				if strings.HasPrefix(a.String(), "/ip4/"+ip+"/") {
					return true
				}
			}
			return false
		}
		if !has("10.78.0.1") || has("127.0.0.1") || has("10.9.9.9") {
			t.Errorf("announced %v", h.Addrs())
		}
		command(t, "ip addr add 10.9.9.9/24 dev v0")
		command(t, "ip addr del 10.78.0.1/24 dev v0")
		if !h.refreshAddrs() || !has("10.9.9.9") || has("10.78.0.1") {
			t.Errorf("announced %v", h.Addrs())
		}
	})
}
