package sim

import (
	"time"

	"github.com/filchsched/filch/steal/core"
)

// What things cost in the large simulation, in one place. A node's loop and its
// network code share what one processor can do, since filch runs its workers and
// one more; what they take is missing from the tasks that run beside them.
const (
	// costStep and costPiece are a step of the core and what each piece, claim,
	// outcome or part in its event adds: BenchmarkCallThroughBothCores takes 247 ns
	// for the eight steps' shares of one call, on a 2-core virtual machine.
	costStep  = 200 * time.Nanosecond
	costPiece = 100 * time.Nanosecond
	// costFrame is one end of one frame, encoded or decoded and through the
	// kernel: libp2p over TCP and TLS carried 350,000 requests with answers of 76 B
	// a second between two processes on two cores (four frame ends each, many in
	// flight), 25,000 with one in flight; a busy node is between the two.
	costFrame = 3 * time.Microsecond
	// costDial is one end of a new connection: handshake and identify take 2 ms on
	// one machine for both ends.
	costDial = time.Millisecond
	// costStream is one end of a new stream on a connection that is there: 100 µs
	// for a request on a new stream against 40 µs on an open one.
	costStream = 25 * time.Microsecond
	// costRun is handing a piece to the engine and its end back.
	costRun = time.Microsecond
	// costNews is sending or taking in a datagram of load news.
	costNews = 10 * time.Microsecond

	dialRounds = 3 // round trips of a new connection before the first frame: 154 ms at an RTT of 50

	perByte   = 8 * time.Nanosecond // 1 Gbit/s, each way
	headers   = 90                  // bytes around a frame: TLS record, yamux, TCP/IP, its share of acknowledgements
	dialBytes = 4000                // each way
	newsBytes = 28 + 40 + 28 + 8*20 // headers, seal, and at most eight entries
)

// Latency one way, by level.
var latency = [...]time.Duration{levelSelf: 0, levelRack: 50 * time.Microsecond, levelZone: 200 * time.Microsecond, levelRemote: 2 * time.Millisecond}

// Levels of the large simulation.
const (
	levelSelf = iota
	levelRack
	levelZone
	levelRemote
	levels
)

// Sizes of what frames are made of: a libp2p peer ID is 38 bytes, a job's name
// is one and a number; a warrant is an interval, a peer and 16 bytes.
const (
	bytesFrame   = 24
	bytesPiece   = 60
	bytesWarrant = 70
	bytesTerms   = 40
)

// weigh tells how large a frame is and how many records it has. args and results
// are what the tasks in it take along.
func weigh(m core.Message, args, result int) (size, records int) {
	size = bytesFrame
	add := func(n, each int) {
		size += n * each
		records += n
	}
	switch m := m.(type) {
	case core.Hello:
		add(len(m.Claims), bytesPiece+bytesWarrant)
	case core.Beat:
		add(len(m.Claims), bytesPiece+bytesWarrant)
	case core.Page:
		add(len(m.Claims), bytesPiece+bytesWarrant)
	case core.Report:
		add(len(m.Outcomes), bytesPiece+bytesWarrant+40)
		add(len(m.Ends), bytesPiece+bytesWarrant)
		for k := range m.Outcomes {
			size += int(m.Outcomes[k].Len()) * result
		}
	case core.Offer:
		size += 80
	case core.Grant:
		add(len(m.Parts), bytesPiece+bytesWarrant+bytesTerms)
		for k := range m.Parts {
			size += int(m.Parts[k].Len()) * args
		}
	case core.Ack:
		size += 12 * len(m.Lanes)
	case core.Recorded:
		add(len(m.Pieces), bytesPiece)
	case core.Drop:
		add(len(m.Pieces), bytesPiece)
	case core.Gone:
		add(len(m.Pieces), bytesPiece)
	case core.Recall:
		add(len(m.Pieces), bytesPiece)
	case core.NoWork:
		size += 10 + 40*len(m.Ask)
	case core.News:
		size += 50
	}
	return size + headers, records
}
