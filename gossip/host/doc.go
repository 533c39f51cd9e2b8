// Package host is a node's place on the network: one libp2p host, one port, one
// identity. It lets members of the cluster in and nobody else, opens streams to
// them, and carries small packets.
//
// # Who gets in
//
// Both sides of every connection, over QUIC and over TCP, present a membership
// certificate (package identity) inside their TLS certificate, and both check it
// before the handshake is over (admission.go). There is no stream, and no libp2p
// protocol, that somebody without a certificate could reach. A refused peer
// learns from its own check what is wrong when the secrets differ; when this node
// refuses it for another reason it gets a TLS alert, which Connect turns into a
// [RefusedError]. Each refusal is counted by its [Reason], and the first of each
// reason within a minute is logged (refusal.go).
//
// What comes before the certificate is the part that strangers can reach, so it is
// bounded: in number, for each address, and in time (door.go). Where there is no room, TCP
// gives up the connection that has been silent for longest; QUIC first has diallers prove
// that their address is real, then refuses. Addresses of known members have room of
// their own. Admitted peers are bounded by streams for each connection and
// connections for each peer, not by address: a whole rack may sit behind one.
//
// # Packets
//
// Packets are datagrams on QUIC's UDP ports: the two upper bits of the first byte
// tell them from QUIC. A token bucket for each source drops floods before anything else is
// done (bucket.go). A datagram proves nothing about its sender, and is as readable as
// it was handed over: who sends packets seals them. Where UDP does not get
// through, packets take a stream; packetpath.go decides that for each peer.
//
// # Peers that nobody can dial
//
// A peer behind address translation or a firewall dials the others, and its connections serve both sides. When there
// is none, who wants one asks the peer to call (summon.go).
//
// # What libp2p does not do here
//
// The host is put together from libp2p's parts (swarm, upgrader, yamux, quicreuse) rather
// than by libp2p.New: that would add ping, identify, NAT services, relays and the
// code of WebRTC. In place of identify there is a hello (hello.go). QUIC has a
// transport of its own (quic.go), because libp2p's takes one certificate for
// life and ours are renewed. libp2p's resource manager is not used: it limits
// by address and knows nothing of admission.
//
// # Files
//
//	host.go         New, Close, Connect, streams, packets: the API
//	admission.go    certificates in handshakes;  refusal.go  counts and the log
//	door.go         room for those who are not admitted yet;  firstbytes.go  whose they are
//	tcp.go quic.go  the two transports;  stream.go  protocols named lazily
//	hello.go        the first exchange on a connection
//	packets.go      packets;  packetpath.go  which way;  packetstream.go  over streams
//	summon.go        peers that nobody can dial are asked to call
//	probe.go        is UDP open?;  bucket.go  floods;  sockets.go  QUIC's UDP ports
//	listen.go       where to listen;  announce.go observed.go  what to announce
//	book.go         peers remembered;  lan.go  mDNS;  connections.go  idle ones
package host
