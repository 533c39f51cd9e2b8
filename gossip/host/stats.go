package host

// Stats are counts since the start, and how things are now.
type Stats struct {
	Admitted    uint64            // connections, both directions
	Refused     map[Reason]uint64 // connections, both directions
	Connections int               // now
	Pending     int               // connections whose handshake is under way, now

	// Packets and their bytes with kind and framing, without IP, UDP and streams' headers.
	SentDatagrams, SentOnStreams uint64
	GotDatagrams, GotOnStreams   uint64
	SentBytes, GotBytes          uint64
	ProbesSent, ProbesAnswered   uint64
	Summoned, Called             uint64 // peers asked to call, because they could not be dialled in time; peers dialled because they asked

	Dropped Drops
}

// Drops counts packets that were dropped, by reason.
type Drops struct {
	Limited   uint64 // came faster than their source may send
	Unknown   uint64 // of a kind that nobody handles
	Oversized uint64 // longer than MaxPacket, or empty
	BadProbe  uint64 // probes that no member sent, or for somebody else, or late answers
	QueueFull uint64 // to send, and too many were waiting
	NoPath    uint64 // to send, and no way to the peer
}

// Stats returns the counts; the maps are the caller's.
func (h *Host) Stats() Stats {
	c := &h.packets.counts
	return Stats{
		Admitted:       h.admitted.Load(),
		Refused:        h.refusals.snapshot(),
		Connections:    len(h.swarm.Conns()),
		Pending:        h.doors.tcp.pending() + h.doors.quic.pending(),
		SentDatagrams:  c.sentUDP.Load(),
		SentOnStreams:  c.sentStream.Load(),
		GotDatagrams:   c.gotUDP.Load(),
		GotOnStreams:   c.gotStream.Load(),
		SentBytes:      c.sentBytes.Load(),
		GotBytes:       c.gotBytes.Load(),
		ProbesSent:     c.probesSent.Load(),
		ProbesAnswered: c.probesAnswered.Load(),
		Summoned:       c.summoned.Load(),
		Called:         c.called.Load(),
		Dropped: Drops{
			Limited:   c.limited.Load(),
			Unknown:   c.unknownKind.Load(),
			Oversized: c.oversized.Load(),
			BadProbe:  c.badProbe.Load(),
			QueueFull: c.queueFull.Load(),
			NoPath:    c.noWay.Load(),
		},
	}
}
