// Package guest ties a home that has no port of its own to the node of its machine: a
// "filch run", which is there for as long as its commands. The guest submits; the node
// lends it cores, is the one holder that the guest ever has, and sub-grants to peers.
//
// # The link
//
// One connection, a Unix socket, carries everything. First the guest says who it is and
// the node answers (handshake.go); what does not begin that way is refused. Then the
// connection carries streams (session.go), each beginning with the name of its
// protocol. Those of package steal are passed to its driver on either side: the guest has
// a steal.Network in which the node is the only peer, and for the node its guests are
// peers beside the others (network.go). One more stream, opened by the node, says what the
// guest shall run (exec.go, worker.go for the node, lent.go for the guest).
//
// # Who runs what
//
// Where the task of a guest runs is the node's decision, as for any task that it holds. What
// leaves the machine takes the way of all tasks. What stays is executed by the guest, which
// has the user's rights, directory and environment, and a supervisor of its own: the
// node says Start, the guest's state machine hears of it (core.Lent) and agrees, the guest
// tells it of the end, and only then the node. So the outcome is home's own word and never travels, and the node has only a core
// to count as free again.
//
// # Ends
//
// When the connection ends, the node tells its state machine that the guest is gone, and what
// the guest had of it counts as ended: the guest is home, and knows. What peers run for it they
// stop for want of a home. A guest whose node is gone runs on by itself: what it
// executes it goes on with, and what the node held comes back when its lease is over.
// Only the guest asks whether the other side still answers: a guest that is stopped by its
// terminal's user is to find the link as it was.
//
// # Limits
//
// At most maxGuests guests; a stream that nobody expects waits with at most maxParked
// others for the driver to begin, and no longer than handshakes may take.
package guest
