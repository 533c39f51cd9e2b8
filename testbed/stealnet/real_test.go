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
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/libp2p/go-libp2p/p2p/transport/quicreuse"
	"github.com/marcopolo/simnet"

	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/gossip/host"
	"github.com/filchsched/filch/gossip/identity"
	"github.com/filchsched/filch/steal"
	"github.com/filchsched/filch/steal/core"
)

// fixedSource is the source address of every packet of a simulated host.
type fixedSource struct{ ip net.IP }

func (f fixedSource) PreferredSourceIPForDestination(*net.UDPAddr) (net.IP, error) { return f.ip, nil }

// simulated is a host's configuration on a simulated network.
func simulated(nw *simnet.Simnet, i int) host.Config {
	link := simnet.LinkSettings{BitsPerSecond: 1_000_000_000}
	ip := simnet.IntToPublicIPv4(i)
	return host.Config{
		Identity: identity.FromSeed(sha256.Sum256([]byte(fmt.Sprint("stealnet", i)))),
		Secret:   identity.Secret(sha256.Sum256([]byte("stealnet"))),
		Listen:   []string{net.JoinHostPort(ip.String(), "8000")},
		QUIC: []quicreuse.Option{
			quicreuse.OverrideSourceIPSelector(func() (quicreuse.SourceIPSelector, error) { return fixedSource{ip}, nil }),
			quicreuse.OverrideListenUDP(func(_ string, at *net.UDPAddr) (net.PacketConn, error) {
				return nw.NewEndpoint(at, simnet.NodeBiDiLinkSettings{Downlink: link, Uplink: link}), nil
			}),
		},
	}
}

// TestTwentyDriversOnASimulatedNetwork: functions and commands of one home spread over twenty nodes while their
// streams are reset, stall and hang half open. Results are exact, nothing is committed
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
	const count, functions, commands = 20, 6_000, 300
	rng := rand.New(rand.NewPCG(seed, 0))
	nw := &simnet.Simnet{LatencyFunc: simnet.StaticLatency(5 * time.Millisecond), Logger: slog.New(slog.DiscardHandler)}
	began := time.Now()
	clock := func() time.Duration { return time.Hour + time.Since(began) }
	w := &ward{runs: make(map[uint64]int)}
	h := &home{ward: w, committed: make(map[core.JobID]map[uint64]bool), hosts: make(map[core.PeerID]int), left: functions + commands, done: make(chan struct{})}
	var ports []*port
	for i := range count {
		one, err := host.New(simulated(nw, i))
		if err != nil {
			t.Fatal(err)
		}
		defer one.Close()
		ports = append(ports, &port{host: one})
	}
	nw.Start() // it has to know all of them before
	defer nw.Close()
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	defer func() { cancel(); all.Wait() }()
	var drivers []*steal.Driver
	var members []core.Member
	for i, p := range ports {
		for _, o := range ports {
			p.host.Learn(o.host.ID(), o.host.Addrs())
		}
		x := &executor{id: nameOf(p.host.ID()), ward: w, clock: clock, runs: make(map[core.Piece]*running), until: make(map[uint64]time.Duration)}
		kinds := []task.Kind{task.KindFunc, task.KindProc}
		c := steal.Config{Core: core.Config{ID: x.id, Incarnation: 1, Seed: seed + uint64(i), Cores: 4, Kinds: kinds, Key: [32]byte{byte(i)}, Check: true},
			Network: p, Executor: x, Clock: clock}
		if i == 0 {
			c.Home = h
		}
		d, err := steal.New(c)
		if err != nil {
			t.Fatal(err)
		}
		all.Go(func() { d.Run(ctx); x.all.Wait() })
		drivers = append(drivers, d)
		members = append(members, core.Member{Peer: x.id, Place: fmt.Sprintf("z/r%d/%d", i%4, i), Kinds: kinds, Cores: 4})
	}
	for _, d := range drivers {
		d.Tell(core.Members{List: members})
	}
	for _, job := range []struct {
		terms core.Terms
		n     uint64
	}{{core.Terms{Name: "f", Kind: task.KindFunc, Estimate: 2 * time.Millisecond}, functions}, {core.Terms{Name: "c", Kind: task.KindProc}, commands}} {
		if _, err := drivers[0].Submit(ctx, job.terms, job.n); err != nil {
			t.Fatal(err)
		}
	}
	begun, hurts := time.Now(), make(map[string]int)
	for over := false; !over; {
		select {
		case <-h.done:
			over = true
		case <-time.After(time.Duration(rng.Int64N(int64(400 * time.Millisecond)))):
			if time.Since(begun) < time.Minute { // then everything heals
				hurts[ports[rng.IntN(count)].hurt(rng)]++
			}
			if time.Since(begun) > 10*time.Minute {
				h.mu.Lock()
				t.Errorf("%d tasks have no outcome after ten minutes", h.left)
				h.mu.Unlock()
				over = true
			}
		}
	}
	var sum steal.Stats
	for _, d := range drivers {
		s := d.Stats()
		sum.Steps += s.Steps
		sum.FramesOut += s.FramesOut
		sum.Garbage += s.Garbage
		sum.Broken += s.Broken
		sum.OutputsIn += s.OutputsIn
	}
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
