package node

import (
	"errors"

	"github.com/filchsched/filch/node/home"
	"github.com/filchsched/filch/steal/core"
)

// Kinds of failures of calls, for errors.Is.
var (
	// ErrPanic: the function panicked. The *TaskError has the stack.
	ErrPanic = home.ErrPanic
	// ErrArgument: the argument could not be decoded where the call ran.
	ErrArgument = home.ErrArgument
	// ErrResult: the result could not be encoded where the call ran, or not be decoded here.
	ErrResult = home.ErrResult
	// ErrTooDeep: more than MaxNesting calls are one inside of the other.
	ErrTooDeep = home.ErrTooDeep
	// ErrTimedOut: the deadline of the call has passed. It is a context.DeadlineExceeded, too.
	ErrTimedOut = home.ErrTimedOut
	// ErrUnknownFunction: where the call was to run, nobody knows the function in this version. The *TaskError names the peer.
	ErrUnknownFunction = home.ErrUnknownFunction
	// ErrLost: the nodes that ran the call were lost, and so often that the call is the likely cause.
	ErrLost = home.ErrLost
	// ErrNoCapableNode: no known member could run the call, by what was asked for; the reasons are counted.
	ErrNoCapableNode = errors.New("no node can run the call")
	// ErrDraining: the node ends, or has ended, and takes no calls; those under way have no result.
	ErrDraining = errors.New("the node is draining")
)

// draining tells that the node ends in the words of this package.
func (n *Node) draining(err error) error {
	if errors.Is(err, home.ErrEnded) || errors.Is(err, ErrEnded) {
		return ErrDraining
	}
	return err
}

// peer is this node's name among nodes.
func (n *Node) peer() core.PeerID { return core.PeerID(n.self.identity.ID().String()) }
