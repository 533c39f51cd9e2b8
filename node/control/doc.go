// Package control is how programs talk to a running node: HTTP and JSON over a
// Unix socket. docs/api.md describes it for those who do it with curl.
//
// # Who may ask
//
// The socket's file permissions (0600) are the authentication: whoever may open it
// may do what the node's owner may. On TCP, which is off unless asked for, every
// request needs a bearer token, its Host must be an address or a name that was
// configured (so that a name rebound by somebody's DNS does not reach the node), and
// whatever a browser marks as coming from another site is refused, right token or
// not. The join string contains the cluster's secret and is never given over TCP.
//
// # What is bounded
//
// Requests' headers and bodies, how long a client may take to send them, how many
// connections there are, how many of them watch, and how far behind a watcher may
// fall: the limits are constants in server.go and watch.go. A watcher that falls
// behind is told so and its stream ends; it may begin again with what there is.
//
// # Versions
//
// The path begins with the version (/v1). Within one version fields and paths are
// added, and none changes its meaning; readers skip what they do not know. A path that
// a node does not have is answered with JSON, so that a newer client can tell an older
// node from a broken one.
//
// # The socket
//
// A node holds a lock beside the socket for as long as it lives, so that what a dead
// node left is told from what a living one uses without guessing: the lock of a dead
// process is free. Asking "does anybody answer there?" instead was rejected, because
// two nodes that start at once would both hear nobody.
package control
