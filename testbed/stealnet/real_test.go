// Package stealnet tries the real driver of stealing on real libp2p hosts with QUIC, on a
// simulated network in virtual time.
package stealnet

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/libp2p/go-libp2p/p2p/transport/quicreuse"
	"github.com/marcopolo/simnet"

	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/gossip/host"
	"github.com/filchsched/filch/gossip/identity"
	"github.com/filchsched/filch/steal/core"
)

// fixedSource is the source address of every packet of a simulated host.
type fixedSource struct{ ip net.IP }

func (f fixedSource) PreferredSourceIPForDestination(*net.UDPAddr) (net.IP, error) { return f.ip, nil }

// simulated is a host's configuration on a simulated network. conn is set to what it listens with.
func simulated(nw *simnet.Simnet, i int, conn **simnet.SimConn) host.Config {
	link := simnet.LinkSettings{BitsPerSecond: 1_000_000_000}
	ip := simnet.IntToPublicIPv4(i)
	return host.Config{
		Identity: identity.FromSeed(sha256.Sum256([]byte(fmt.Sprint("stealnet", i)))),
		Secret:   identity.Secret(sha256.Sum256([]byte("stealnet"))),
		Listen:   []string{net.JoinHostPort(ip.String(), "8000")},
		QUIC: []quicreuse.Option{
			quicreuse.OverrideSourceIPSelector(func() (quicreuse.SourceIPSelector, error) { return fixedSource{ip}, nil }),
			quicreuse.OverrideListenUDP(func(_ string, at *net.UDPAddr) (net.PacketConn, error) {
				*conn = nw.NewEndpoint(at, simnet.NodeBiDiLinkSettings{Downlink: link, Uplink: link})
				return *conn, nil
			}),
		},
	}
}

// TestTwentyDriversOnASimulatedNetwork: functions and commands of one home spread over twenty nodes while their
// streams are reset, stall and hang half open, and while nodes are killed and start again. Results are exact, nothing is committed
// twice, no command runs twice at the same time. STEALNET_SEED repeats a seed.
func TestTwentyDriversOnASimulatedNetwork(t *testing.T) {
	seeds := []uint64{1, 2}
	if s, err := strconv.ParseUint(os.Getenv("STEALNET_SEED"), 10, 64); err == nil {
		seeds = []uint64{s}
	} else if testing.Short() {
		seeds = seeds[:1]
	}
	for _, seed := range seeds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { twenty(t, seed) })
		})
	}
}

func twenty(t *testing.T, seed uint64) {
	const count, functions, commands = 20, 6_000, 900
	rng := rand.New(rand.NewPCG(seed, 0))
	nw := &simnet.Simnet{LatencyFunc: simnet.StaticLatency(5 * time.Millisecond), Logger: slog.New(slog.DiscardHandler)}
	began := time.Now()
	clock := func() time.Duration { return time.Hour + time.Since(began) }
	w := &ward{runs: make(map[uint64]int)}
	h := &home{ward: w, committed: make(map[core.JobID]map[uint64]bool), hosts: make(map[core.PeerID]int), left: functions + commands, done: make(chan struct{})}
	ctx, cancel := context.WithCancel(t.Context())
	all := &net20{sim: nw, seed: seed, ward: w, home: h, clock: clock, ctx: ctx, kinds: []task.Kind{task.KindFunc, task.KindProc}}
	for i := range count {
		n := &node{of: all, i: i}
		if n.open(t); n.port == nil {
			t.FailNow()
		}
		n.id, n.addrs = n.port.host.ID(), n.port.host.Addrs()
		n.member = core.Member{Peer: nameOf(n.id), Place: fmt.Sprintf("z/r%d/%d", i%4, i), Kinds: all.kinds, Cores: 4}
		all.nodes = append(all.nodes, n)
	}
	nw.Start() // it has to know all of them before
	defer nw.Close()
	defer func() {
		for _, n := range all.nodes {
			n.port.host.Close()
		}
	}()
	defer func() { cancel(); all.all.Wait() }()
	for _, n := range all.nodes {
		n.begin(t)
	}
	for _, job := range []struct {
		terms core.Terms
		n     uint64
	}{{core.Terms{Name: "f", Kind: task.KindFunc, Estimate: 2 * time.Millisecond}, functions}, {core.Terms{Name: "c", Kind: task.KindProc}, commands}} {
		if _, err := all.nodes[0].driver.Submit(ctx, job.terms, job.n); err != nil {
			t.Fatal(err)
		}
	}
	begun, hurts := time.Now(), make(map[string]int)
	back := make(chan *node, count)
	for over := false; !over; {
		select {
		case <-h.done:
			over = true
		case n := <-back:
			n.down = false
		case <-time.After(time.Duration(rng.Int64N(int64(400 * time.Millisecond)))):
			if time.Since(begun) < time.Minute { // then everything heals
				hurts[all.hurt(t, rng, back)]++
			}
			if time.Since(begun) > 10*time.Minute {
				h.mu.Lock()
				t.Errorf("%d tasks have no outcome after ten minutes", h.left)
				h.mu.Unlock()
				over = true
			}
		}
	}
	cancel()
	all.all.Wait()
	for _, n := range all.nodes {
		if !n.down {
			all.count(n.driver)
		}
	}
	sum := all.sum
	w.mu.Lock()
	defer w.mu.Unlock()
	t.Logf("seed %d: %v, faults %v, %d hosts took part, %d starts of %d commands, %d steps, %d frames, %d channels broke, %d outputs",
		seed, time.Since(begun).Round(time.Millisecond), hurts, len(h.hosts), w.starts, commands, sum.Steps, sum.FramesOut, sum.Broken, sum.OutputsIn)
	if len(w.broken) > 0 {
		t.Errorf("seed %d: %d promises broken, the first: %v", seed, len(w.broken), w.broken[:min(5, len(w.broken))])
	}
	if sum.Garbage > 0 {
		t.Errorf("%d streams were closed for what came on them", sum.Garbage)
	}
	if len(h.hosts) < 5 {
		t.Errorf("only %d hosts took part", len(h.hosts))
	}
}
