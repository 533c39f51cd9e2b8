// Package steal moves tasks between processes: it drives the state machine of package core
// with streams, clocks and an engine. What is decided is decided there; this package only carries.
//
// # One goroutine
//
// A Driver's loop (loop.go) owns the core. Everybody else, readers of streams, the engine, the API, leaves mail
// (mailbox.go), which the loop takes in batches. It hands in everything that has come before it looks at a
// timer: a process that was frozen hears what its peers had to say before it judges them. What a batch wrote
// to a peer goes out with one Write (channel.go); what nobody waits for goes along with it, or a little later (haste.go).
//
// # Streams
//
//	/filch/control/1  one for each epoch of a holder with a grantor: frames of the core, and what is granted
//	/filch/data/1     opened by whoever needs one, ended when idle: questions for bodies, long outputs
//
// Nobody waits for a peer: what is written to one that does not read piles up to a bound, and then its channel
// begins anew. A reader waits when the loop is behind with what came from its stream, and so does the peer then.
//
// # What tasks are
//
// The core knows names and numbers. What to run, a header for each job and a body for each task, goes in front
// of the grant on the control stream if it is short (send.go), else it is fetched from the grantor over a data stream (fetch.go,
// serve.go), and from the home if the grantor does not have it. Bodies are a cache (bodies.go): what does
// not fit is fetched again. Only the word of who granted a task counts (origins.go).
//
// # What tasks leave
//
// Values travel in reports. What is long travels ahead of its report on the data stream, so that home has all of
// an outcome when it hears of it (feed.go, serve.go); it is kept (outputs.go) until the next one up has recorded the outcome.
//
// # What is not protected
//
// A member can ask any other what a task is, if it can name it. A member can say of work that it grants what it likes.
package steal
