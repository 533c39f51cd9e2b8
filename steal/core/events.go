package core

import (
	"time"

	"github.com/filchsched/filch/exec/task"
)

// An Event is something that happened: one of the structs below.
type Event interface{ event() }

type (
	// Tick is the alarm at Next. Frames that have arrived are handed in before it.
	Tick struct{}
	// Received is a frame of a peer. Up: the peer is the holder and we the grantor.
	Received struct {
		From  PeerID
		Up    bool
		Frame Frame
	}
	// Broken is the end of a connection: a hint to dial anew, nothing more.
	Broken struct {
		Peer  PeerID
		Up    bool // the channel on which we are the holder
		Epoch uint64
	}
	// Submit makes a job of N tasks. The answer is Submitted with the same Ref.
	Submit struct {
		Ref   uint64
		Terms Terms
		N     uint64
	}
	// Extend adds tasks to a job.
	Extend struct {
		Job JobID
		N   uint64
	}
	// CancelJob cancels what is not committed of a job.
	CancelJob struct{ Job JobID }
	// CancelTasks cancels what is not committed of a span of a job; the rest goes on.
	// After this step nothing of the span is granted or started any more.
	CancelTasks struct {
		Job  JobID
		Span Span
	}
	// RecallJob asks holders for what they have not started of a span.
	RecallJob struct {
		Job  JobID
		Span Span
	}
	// HedgeTask lets a second attempt of a running task be granted to Peer.
	HedgeTask struct {
		Job   JobID
		Index uint64
		Peer  PeerID
	}
	// Forget ends home's memory of a job that is done.
	Forget struct{ Job JobID }
	// Finished says that a Run has ended here. State Cancelled: it was stopped by
	// Halt or by its leash and has no outcome; everything it started is dead.
	Finished struct {
		Piece      Piece
		State      task.State
		Exit       int32
		Smell      bool
		Reason     string
		Values     [][]byte
		Exceptions []Exception // of a run of several; State then speaks about the others
		Ran        time.Duration
	}
	// Candidates is what is believed about peers, the freshest last heard first.
	Candidates struct{ List []Candidate }
	// Members is who is in the cluster, with where each sits ("zone/rack/host"). The
	// Core keeps List, which must not be changed any more.
	Members struct{ List []Member }
	// Functions is which functions this process knows, as FunctionHash; nil: any.
	Functions struct{ Hashes []uint32 }
	// Resize changes the number of cores that tasks may use here.
	Resize struct{ Cores int }
	// Slack is how many cores the engine leaves idle of those that runs count for here,
	// because tasks wait: at most as many as are busy. It should have lasted for a moment, longer than a run takes
	// from its effect to its start.
	Slack struct{ Cores int }
	// Drain hands back what has not started and takes nothing more.
	Drain struct{}
	// Left says that a peer has left for good.
	Left struct{ Peer PeerID }
	// PauseJob stops starting and granting tasks of a job, or goes on with it. What
	// others have not started is recalled.
	PauseJob struct {
		Job JobID
		On  bool
	}
	// Guest says that a process of this machine's owner, a home without cores of its
	// own, is connected or gone. Whatever this node's kinds, tasks of its home may
	// start here, at most Jobs at a time (0: no bound of its own), since the guest itself executes
	// them: their Run goes to it, and comes to the guest's own Core as Lent. The node holds more
	// of its tasks than it can run, for others to steal. The guest names the node as Config.Host.
	Guest struct {
		Peer PeerID
		Here bool
		Jobs int
	}
	// RanByHome says that a guest has ended a run of its own task and has told
	// itself: nothing is to be reported. It stands in the place of Finished.
	RanByHome struct {
		Piece Piece
		Ran   time.Duration
	}
	// Lent tells a guest that its node has a core for a piece of the guest's own: start it here. Run
	// follows, whose end is told as Finished, or Declined. The guest knows by it what it executes
	// itself, and never runs that again because the node is silent.
	Lent struct{ Piece Piece }
	// Moved says how long so many bytes of arguments or outputs took to arrive from a peer.
	Moved struct {
		Peer  PeerID
		Bytes int64
		Took  time.Duration
	}
	// Proved answers Prove. An empty Refused is success.
	Proved struct {
		Peer    PeerID
		Job     JobID
		MAC     [16]byte
		Refused string
	}
)

// A Candidate is a peer that may have work, as gossip believes.
type Candidate struct {
	Peer    PeerID
	Level   uint8         // how far: smaller is nearer
	Surplus time.Duration // estimated work it could give away
	Age     time.Duration // of that belief
	RTT     time.Duration
}

// A Member is a peer and where it sits.
type Member struct {
	Peer  PeerID
	Place string        // "zone/rack/host", for the order of lifelines
	Level uint8         // how far it is from here: smaller is nearer
	RTT   time.Duration // 0: not known
	Kinds []task.Kind   // that it runs for others; nil: not known
	Cores int32         // that it has; 0: not known
}

func (Tick) event()        {}
func (Received) event()    {}
func (Broken) event()      {}
func (Submit) event()      {}
func (Extend) event()      {}
func (CancelJob) event()   {}
func (CancelTasks) event() {}
func (Slack) event()       {}
func (RecallJob) event()   {}
func (HedgeTask) event()   {}
func (Forget) event()      {}
func (Finished) event()    {}
func (Candidates) event()  {}
func (Members) event()     {}
func (Resize) event()      {}
func (Functions) event()   {}
func (Drain) event()       {}
func (Left) event()        {}
func (PauseJob) event()    {}
func (Guest) event()       {}
func (RanByHome) event()   {}
func (Lent) event()        {}
func (Proved) event()      {}
func (Moved) event()       {}

// An Effect is something for the driver to do: one of the structs below. Effects
// are carried out in order. Those of a durable job that the journal needs
// (Submitted, Commit, CancelAccepted) are on disk before a later effect of the
// same step leaves the process.
type Effect interface{ effect() }

type (
	// Open dials a peer for a new epoch, on which we are the holder.
	Open struct {
		Peer  PeerID
		Epoch uint64
	}
	// Close gives a channel up. What was sent on it may or may not arrive.
	Close struct {
		Peer  PeerID
		Epoch uint64
	}
	// Send sends a frame. Up: we are the holder and the peer the grantor.
	Send struct {
		To    PeerID
		Up    bool
		Frame Frame
	}
	// Run starts the tasks of a piece, in rising order. Leash names the lease that
	// it runs under; 0 is none, for tasks that no deadline stops.
	Run struct {
		Piece   Piece
		Terms   Terms
		Leash   uint64
		Suspect bool
		From    PeerID // who lent it to us; empty: it is of this home
		Depth   uint8  // of that: 1 if it is the task's home
	}
	// Halt stops a run as fast as can be; Finished follows in any case.
	Halt struct{ Piece Piece }
	// Leash moves a deadline. What runs under it must be dead by then even if this
	// process is frozen: the supervisor of commands keeps it.
	Leash struct {
		Key   uint64
		Until time.Duration
	}
	// Submitted answers Submit.
	Submitted struct {
		Ref uint64
		Job JobID
		N   uint64
	}
	// Commit is the one outcome of each of its tasks.
	Commit struct {
		Piece  Piece
		State  task.State
		Exit   int32
		Reason string
		Values [][]byte
		Host   PeerID
		Ran    time.Duration
	}
	// CancelAccepted answers CancelJob: nothing of the job is granted any more, and
	// nothing commits but cancelled.
	CancelAccepted struct{ Job JobID }
	// Stopped says that nothing of a cancelled job runs anywhere.
	Stopped struct{ Job JobID }
	// Unconfirmed says who might still run something of a cancelled job.
	Unconfirmed struct {
		Job   JobID
		Peers []PeerID
	}
	// JobDone says that every task of a job has its outcome.
	JobDone struct{ Job JobID }
	// Wanted says that peers wait here for work that they could start at once, and there is
	// none: see Appetite.
	Wanted struct{}
	// Declined answers Lent: the node does not hold the piece any more. To the node it is a
	// Finished of state Cancelled.
	Declined struct{ Piece Piece }
	// Prove asks for the proof that a directory is the one that a peer means: read the
	// file and answer with Proved. It must not block the caller of Step.
	Prove struct {
		Peer       PeerID
		Job        JobID
		Path, File string
	}
	// Took says that a grantor took something back because its holder's set did not
	// show it; whoever watches the world can judge that.
	Took struct {
		Peer  PeerID
		Piece Piece
	}
)

func (Open) effect()           {}
func (Close) effect()          {}
func (Send) effect()           {}
func (Run) effect()            {}
func (Halt) effect()           {}
func (Leash) effect()          {}
func (Submitted) effect()      {}
func (Commit) effect()         {}
func (CancelAccepted) effect() {}
func (Stopped) effect()        {}
func (Unconfirmed) effect()    {}
func (JobDone) effect()        {}
func (Took) effect()           {}
func (Prove) effect()          {}
func (Declined) effect()       {}
func (Wanted) effect()         {}
