// Package node composes a filch node: identity and secret in a data directory, one
// network port, membership of a cluster, and the control API on a Unix socket.
//
// The zero Config is a node on its own: it opens no port and no file, and knows only
// itself. Every further part is there because a field of Config asked for it.
//
// # The life of a node
//
//	New    checks the configuration; nothing has happened yet
//	Run    takes the data directory (one node per directory, by a lock),
//	       reads or makes identity and secret,
//	       counts the start (on disk, synced, before any port opens: what fences old
//	       attempts must never see one number twice),
//	       opens the port, then the control socket
//	Ready  closes: the node listens and answers; joining goes on behind it
//	       joins whom the join strings name, with growing pauses, until one answers;
//	       goes on by itself with who mDNS finds and who was known before
//	Drain  says goodbye and ends what Run began, in the opposite order; so does a Leave
//	       of the control API, and the end of Run's context
//
// Being ready does not wait for a cluster: a machine that boots without a network is a
// node all the same, and its socket says that it has not joined.
//
// # What is told to whom
//
// A join string whose cluster the members at its addresses do not belong to is a mistake
// of whoever typed it, and on the first start ends Run with an error, leaving nothing
// behind in the data directory that a second try would trip over. Later the same finding
// is logged and the node goes on trying: a node of a running cluster does not end because
// a machine at an old address belongs to somebody else now.
//
// # Locks
//
// Node.mu guards the few fields that Run writes while others read; nothing is called
// while it is held.
package node
