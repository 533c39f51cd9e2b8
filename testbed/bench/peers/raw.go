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

// streamServe answers Size bytes with Back bytes on streams of a host of its own, which ends with the process.
func streamServe(q *request) (reply, error) {
	secret := identity.NewSecret()
	h, err := host.New(host.Config{Identity: identity.New(), Secret: secret, Listen: []string{q.To + ":0"}})
	if err != nil {
		return reply{}, err
	}
	there, back := q.Size, q.Back
	h.Handle(echoProtocol, func(s network.Stream) {
		b := make([]byte, max(there, back))
		for {
			if _, err := io.ReadFull(s, b[:there]); err != nil {
				s.Reset()
				return
			}
			if _, err := s.Write(b[:back]); err != nil {
				return
			}
		}
	})
	text, err := json.Marshal(echoAt{secret.Encode(), peer.AddrInfo{ID: h.ID(), Addrs: h.Addrs()}})
	return reply{Text: string(text)}, err
}

// stream measures the round trip of Size bytes there and Back bytes back over a stream.
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
	return roundTrips(s, q.N, q.Size, q.Back)
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
	return roundTrips(c, q.N, q.Size, q.Size)
}

// roundTrips sends some bytes and waits for those that come back, n times.
func roundTrips(c io.ReadWriter, n, there, back int) (reply, error) {
	b := make([]byte, max(there, back))
	times := make([]time.Duration, n)
	begun := time.Now()
	for i := range times {
		at := time.Now()
		if _, err := c.Write(b[:there]); err != nil {
			return reply{}, err
		}
		if _, err := io.ReadFull(c, b[:back]); err != nil {
			return reply{}, err
		}
		times[i] = time.Since(at)
	}
	return quantiles(times, time.Since(begun)), nil
}
