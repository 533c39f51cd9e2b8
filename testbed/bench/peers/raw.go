package main

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/filchsched/filch/gossip/host"
	"github.com/filchsched/filch/gossip/identity"
)

// What a call is measured against: bytes that only go there and back, between the same two processes. Over
// a stream of a host as the nodes have one (a second host in each process, with the node's transports, encryption and
// configuration), and over bare TCP.

// echoProtocol is of streams whose bytes come back.
const echoProtocol = "/filch-bench/echo/1"

// An echoAt is where streams are echoed, as JSON in reply.Text and request.To.
type echoAt struct {
	Secret string
	Peer   peer.AddrInfo
}

// streamServe echoes streams on a host of its own, which ends with the process.
func streamServe(listen string) (reply, error) {
	secret := identity.NewSecret()
	h, err := host.New(host.Config{Identity: identity.New(), Secret: secret, Listen: []string{listen + ":0"}})
	if err != nil {
		return reply{}, err
	}
	h.Handle(echoProtocol, func(s network.Stream) { io.Copy(s, s) })
	text, err := json.Marshal(echoAt{secret.Encode(), peer.AddrInfo{ID: h.ID(), Addrs: h.Addrs()}})
	return reply{Text: string(text)}, err
}

// stream measures the round trip of Size bytes there and back over a stream.
func stream(ctx context.Context, q *request) (reply, error) {
	var at echoAt
	if err := json.Unmarshal([]byte(q.To), &at); err != nil {
		return reply{}, err
	}
	secret, err := identity.ParseSecret(at.Secret)
	if err != nil {
		return reply{}, err
	}
	h, err := host.New(host.Config{Identity: identity.New(), Secret: secret})
	if err != nil {
		return reply{}, err
	}
	defer h.Close()
	if err := h.Connect(ctx, at.Peer); err != nil {
		return reply{}, err
	}
	s, err := h.OpenStream(ctx, at.Peer.ID, echoProtocol)
	if err != nil {
		return reply{}, err
	}
	defer s.Reset()
	return roundTrips(s, q)
}

// rawServe echoes what comes on a TCP connection.
func rawServe(host string) (reply, error) {
	l, err := net.Listen("tcp", host+":0")
	if err != nil {
		return reply{}, err
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go io.Copy(c, c)
		}
	}()
	return reply{Text: l.Addr().String()}, nil
}

// raw measures the round trip of Size bytes there and back over TCP, without anything around it.
func raw(q *request) (reply, error) {
	c, err := net.Dial("tcp", q.To)
	if err != nil {
		return reply{}, err
	}
	defer c.Close()
	return roundTrips(c, q)
}

// roundTrips sends Size bytes and waits for them to come back, N times.
func roundTrips(c io.ReadWriter, q *request) (reply, error) {
	b := make([]byte, q.Size)
	times := make([]time.Duration, q.N)
	begun := time.Now()
	for i := range times {
		at := time.Now()
		if _, err := c.Write(b); err != nil {
			return reply{}, err
		}
		if _, err := io.ReadFull(c, b); err != nil {
			return reply{}, err
		}
		times[i] = time.Since(at)
	}
	return quantiles(times, time.Since(begun)), nil
}
