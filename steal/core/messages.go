package core

import (
	"time"

	"github.com/filchsched/filch/exec/task"
)

// A Frame is one message between a holder and a grantor. Within (peer, session,
// epoch, direction, stream) frames arrive in order or not at all; Seq lets the
// receiver drop what comes twice.
type Frame struct {
	Inc     uint64 // incarnation of the sender
	Session uint32 // how often the holder gave up on this grantor; 0 on the way down
	Epoch   uint64 // of the channel, raised by the holder at each reconnect
	Seq     uint64 // counted from 1 per epoch, direction and stream
	Data    bool   // it may travel on the data stream, unordered with the control stream
	Msg     Message
}

// A Message is one of the structs below. They are flat and bounded, so that the
// encoding of each fits into a control frame of 64 KiB.
type Message interface{ message() }

// What a holder shows of a piece that it holds.
type ClaimState uint8

// The states of a claim, in the order of a piece's life.
const (
	ClaimUnstarted ClaimState = iota + 1
	ClaimRunning
	ClaimSub    // sub-granted to somebody
	ClaimEnded  // the outcome is on its way
	ClaimKilled // started, then stopped; the end is on its way
	ClaimLost   // sub-granted and lost; the end is on its way
	ClaimGoneUp // shown to the root home now
)

func (s ClaimState) String() string {
	return [...]string{"-", "unstarted", "running", "sub-granted", "ended", "killed", "lost", "gone-up"}[s]
}

// A Warrant is home's proof that it granted an attempt of an interval to a
// holder. Pieces that are split or passed on keep the whole interval's warrant.
type Warrant struct {
	Span
	Holder PeerID
	MAC    [16]byte
}

// A Claim says "I hold this".
type Claim struct {
	Piece
	State   ClaimState
	Warrant Warrant
}

// A LaneLeft is how much longer what was granted in a lane may run, counted from
// when the acknowledged heartbeat was sent. Lane 0 is the grantor's own jobs;
// the others are what the grantor holds itself, one for each of its own leases.
type LaneLeft struct {
	Lane uint32
	Left time.Duration // not positive: nothing is left
}

// A Part is a piece as it is granted.
type Part struct {
	Piece
	Terms   Terms
	Warrant Warrant
	Lane    uint32
	Depth   uint8 // 1 when home grants
	Suspect bool  // ask before the start
}

// An EndKind is how an attempt ended without an outcome.
type EndKind uint8

// The ends of an attempt.
const (
	EndReturned EndKind = iota + 1 // never started here
	EndDropped                     // as told; never started here
	EndKilled                      // started, and stopped
	EndLost                        // whoever it was sub-granted to vanished
	EndStarted                     // no end: the answer to a recall that comes too late
)

func (k EndKind) String() string {
	return [...]string{"-", "returned", "dropped", "killed", "lost", "started"}[k]
}

// An End reports the end of an attempt without an outcome.
type End struct {
	Piece
	Kind    EndKind
	Refused string // why the holder would not have it, so that it is not granted there again at once
	Warrant Warrant
}

// An Exception is an index of an outcome that did not simply succeed.
type Exception struct {
	Index  uint64
	State  task.State
	Exit   int32
	Smell  bool // it smells of the peer: 126, 127, a missing directory, no spawn
	Reason string
}

// An Outcome is what the tasks of a piece ended in. Large outputs are pulled over
// the data stream; Values are for small ones.
type Outcome struct {
	Piece
	Warrant    Warrant
	Values     [][]byte // one per index, or none at all
	Exceptions []Exception
	Ran        time.Duration // together
	Host       PeerID        // that ran it
}

// Messages from holder to grantor.
type (
	// Hello opens an epoch and begins the full set.
	Hello struct {
		Claims []Claim
		More   bool // Page messages follow
	}
	// Beat is a heartbeat.
	Beat struct {
		N       uint64 // counted within the epoch
		Applied uint64 // the last grant applied
		Digest  uint64 // of the pieces whose end was not reported yet
		Full    bool   // Claims is the full set
		Claims  []Claim
		More    bool
	}
	// Page is more of a full set.
	Page struct {
		Claims []Claim
		More   bool
	}
	// Report carries outcomes and ends, in batches.
	Report struct {
		Outcomes []Outcome
		Ends     []End
	}
	// StartAsk asks whether a suspect may start.
	StartAsk struct{ Piece Piece }
	// Offer offers room for tasks: a steal request.
	Offer struct {
		N        uint64 // the thief's, rising; names it in the answer
		Standing bool   // wait until there is something
		Cores    int32  // free now; of a middle in a large cluster also those of whom it asks for, and so below
		Tasks    uint32 // at most so many: slow start
		Time     time.Duration
		Memory   int64
		Kinds    []task.Kind
		Labels   []string
		// Functions are hashes (FunctionHash) of the functions that it knows; empty: any.
		Functions []uint32
		Waiting   time.Duration // how long there has been room
	}
	// Withdraw takes a standing offer back.
	Withdraw struct{ N uint64 }
	// Proof answers Challenge. Refused says why there is none, such as "no such directory".
	Proof struct {
		Job     JobID
		MAC     [16]byte // of the file's content over job and prover: see proof
		Refused string
	}
)

// Messages from grantor to holder.
type (
	// Ack answers Hello (Beat 0) and Beat; it follows everything that the set earned.
	Ack struct {
		Beat  uint64
		Lanes []LaneLeft
		Sync  bool // digests differ: send the full set
	}
	// Grant is a numbered list of pieces.
	Grant struct {
		N     uint64
		Offer uint64 // that it answers
		Parts []Part
		Lanes []LaneLeft
		Rest  time.Duration // estimated work that the victim keeps, for the thief's next choice
	}
	// Drop tells to stop and forget.
	Drop struct{ Pieces []Piece }
	// Gone tells: I am not its grantor, ask the root home.
	Gone struct{ Pieces []Piece }
	// Recorded acknowledges outcomes and ends.
	Recorded struct{ Pieces []Piece }
	// StartOK permits the start of a suspect.
	StartOK struct{ Piece Piece }
	// Recall asks for what has not started.
	Recall struct{ Pieces []Piece }
	// Refused closes an epoch.
	Refused struct{}
	// NoWork answers an offer that is not standing.
	NoWork struct {
		Offer  uint64
		Reason string
		Ask    []PeerID // who was heard to have more
	}
	// News tells a lifeline's neighbours of surplus at Source.
	News struct {
		Source PeerID
		Event  uint64
		Hops   uint8
		Rest   time.Duration
	}
	// Challenge asks a holder to prove that it has a job's directory: to read a file there.
	Challenge struct {
		Job        JobID
		Path, File string
	}
	// Invite asks a peer to ask: here is work that the sender cannot run itself. It
	// belongs to no epoch (its frame's is 0) and needs no channel.
	Invite struct{ Surplus time.Duration }
)

func (Hello) message()     {}
func (Beat) message()      {}
func (Page) message()      {}
func (Report) message()    {}
func (StartAsk) message()  {}
func (Offer) message()     {}
func (Withdraw) message()  {}
func (Proof) message()     {}
func (Ack) message()       {}
func (Grant) message()     {}
func (Drop) message()      {}
func (Gone) message()      {}
func (Recorded) message()  {}
func (StartOK) message()   {}
func (Recall) message()    {}
func (Refused) message()   {}
func (NoWork) message()    {}
func (News) message()      {}
func (Challenge) message() {}
func (Invite) message()    {}
