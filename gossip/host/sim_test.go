package host

import (
	"context"
	"fmt"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/libp2p/go-libp2p/p2p/transport/quicreuse"
	"github.com/marcopolo/simnet"

	"github.com/filchsched/filch/gossip/identity"
)

// simulated puts a host on a simulated network.
func simulated(nw *simnet.Simnet, i int) func(*Config) {
	ip := simnet.IntToPublicIPv4(i)
	link := simnet.LinkSettings{BitsPerSecond: 100_000_000}
	return func(c *Config) {
		c.Identity = identity.FromSeed(seed(byte(i)))
		c.Listen = []string{fmt.Sprintf("%s:7447", ip)}
		c.QUIC = []quicreuse.Option{
			quicreuse.OverrideSourceIPSelector(func() (quicreuse.SourceIPSelector, error) { return onlySource{ip}, nil }),
			quicreuse.OverrideListenUDP(func(_ string, at *net.UDPAddr) (net.PacketConn, error) {
				return nw.NewEndpoint(at, simnet.NodeBiDiLinkSettings{Downlink: link, Uplink: link}), nil
			}),
		}
	}
}

type onlySource struct{ ip net.IP }

func (s onlySource) PreferredSourceIPForDestination(*net.UDPAddr) (net.IP, error) { return s.ip, nil }

// The real host, with its TLS, its QUIC and its packets, runs on a simulated
// network in virtual time: twenty nodes, 20 ms apart, for ten minutes.
func TestHostsInVirtualTime(t *testing.T) {
	begun := time.Now()
	synctest.Test(t, func(t *testing.T) {
		const latency, nodes = 20 * time.Millisecond, 20
		nw := &simnet.Simnet{LatencyFunc: simnet.StaticLatency(latency)}
		var hosts []*Host
		var sinks []packetSink
		for i := range nodes {
			h, err := New(simulatedConfig(nw, i))
			if err != nil {
				t.Fatal(err)
			}
			defer h.Close()
			serveEcho(h)
			hosts, sinks = append(hosts, h), append(sinks, listenPackets(h, 1))
		}
		nw.Start() // it has to know all of them before
		defer nw.Close()
		for i, h := range hosts {
			next := hosts[(i+1)%nodes]
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			if err := h.Connect(ctx, info(next)); err != nil {
				t.Fatal(err)
			}
			since := time.Now()
			if err := trySay(ctx, h, next.ID(), "across"); err != nil {
				t.Fatal(err)
			}
			if d := time.Since(since); d > 3*latency {
				t.Errorf("an open connection and a new stream took %v, more than one round trip of %v", d, 2*latency)
			}
			if err := h.SendPacket(next.ID(), 1, []byte("packet")); err != nil {
				t.Fatal(err)
			}
			sinks[(i+1)%nodes].wait(t, "packet")
			cancel()
		}
		time.Sleep(10 * time.Minute) // virtual
		for _, h := range hosts {
			if s := h.Stats(); s.Connections != 0 {
				t.Errorf("%d connections are open after ten idle minutes", s.Connections)
			}
		}
	})
	t.Logf("%v of real time", time.Since(begun).Round(time.Millisecond))
}

func simulatedConfig(nw *simnet.Simnet, i int) Config {
	c := Config{Secret: secret}
	simulated(nw, i)(&c)
	return c
}
