package control

import (
	"encoding/json"
	"time"
)

// Version is the version of the API, the first part of its paths.
const Version = "v1"

// States of a member.
const (
	StateAlive   = "alive"   // answers
	StateSuspect = "suspect" // did not answer lately; others are being asked
	StateLeft    = "left"    // said goodbye
	StateFailed  = "failed"  // gone without a word
)

// Member is what the node that is asked knows of one member of its cluster, itself
// included. Readers treat it as read-only.
type Member struct {
	Name   string            `json:"name"` // for people; two members may have the same
	ID     string            `json:"id"`   // the peer ID
	Self   bool              `json:"self"` // the node that was asked
	State  string            `json:"state"`
	Addrs  []string          `json:"addrs"` // multiaddrs that it announces
	Labels map[string]string `json:"labels"`

	// Level says how far it is: host, rack, zone or remote, and self for the node
	// itself; "" while nothing is known. LevelReason says how that is known.
	Level       string   `json:"level"`
	LevelReason string   `json:"level_reason"`
	RTTSeconds  *float64 `json:"rtt_seconds"` // null where it is unknown

	// What it announced. Cores is 0 and Arch empty until the announcement arrived.
	OS          string   `json:"os"`
	Arch        string   `json:"arch"`
	Version     string   `json:"version"`
	Cores       int      `json:"cores"`
	MemoryBytes int64    `json:"memory_bytes"`
	Kinds       []string `json:"kinds"` // of tasks that it runs

	// What the newest news of it said, and how old that is; null without any.
	FreeCores  *int     `json:"free_cores"`
	Load       *Load    `json:"load"`
	AgeSeconds *float64 `json:"age_seconds"`
}

// Load is how busy a member said it is.
type Load struct {
	QueuedCoreSeconds float64 `json:"queued_core_seconds"` // of work that waits
	Surplus           bool    `json:"surplus"`             // it has work to give away
	Starved           bool    `json:"starved"`             // it looks for work
}

// Members is the answer to GET /v1/nodes.
type Members struct {
	Nodes []Member `json:"nodes"` // by name, then ID
}

// Node is what a node says of itself: the answer to GET /v1/node.
type Node struct {
	ID          string            `json:"id"`
	Name        string            `json:"name"`
	Cluster     string            `json:"cluster"` // its public name; "" for a node on its own
	Ready       bool              `json:"ready"`   // it listens and answers
	Joined      bool              `json:"joined"`  // it has reached a member, or had none to reach
	Leaving     bool              `json:"leaving"`
	Listen      []string          `json:"listen"` // HOST:PORT where others reach it; empty: nowhere
	Addrs       []string          `json:"addrs"`  // the same as multiaddrs
	Labels      map[string]string `json:"labels"`
	Workers     int               `json:"workers"`
	MemoryBytes int64             `json:"memory_bytes"`
	Kinds       []string          `json:"kinds"`
	Incarnation uint64            `json:"incarnation"` // of its starts
	DataDir     string            `json:"data_dir"`    // "" for a node without a disk
	Socket      string            `json:"socket"`      // "" for a node without one
	PID         int               `json:"pid"`
	Version     string            `json:"version"`
	Started     time.Time         `json:"started"`
	MDNS        bool              `json:"mdns"`
	Problems    []string          `json:"problems"` // what was noticed lately, for doctor; never null
	// DrainTimeoutSeconds bounds how long the node takes to end.
	DrainTimeoutSeconds float64 `json:"drain_timeout_seconds"`
}

// JoinString is the answer to GET /v1/join-string. It contains the secret.
type JoinString struct {
	JoinString string `json:"join_string"`
	Cluster    string `json:"cluster"`
	Addrs      int    `json:"addrs"` // how many addresses are in it; with none, mDNS has to find the node
}

// Left is the answer to POST /v1/leave.
type Left struct {
	Left bool `json:"left"`
}

// Kinds of events.
const (
	EventPresent = "present" // how a watcher begins: one for each member there is
	EventSynced  = "synced"  // that was all of them; what follows are changes
	EventChanged = "changed" // a member is new, or other than it was
	EventGone    = "gone"    // a member is forgotten
	EventBeat    = "beat"    // nothing happened; the connection lives
	EventLost    = "lost"    // the watcher fell behind, or the node ends: the stream is over
)

// Event is one line of GET /v1/watch.
type Event struct {
	Kind   string    `json:"kind"`
	Time   time.Time `json:"time"`
	Node   *Member   `json:"node,omitempty"`
	Reason string    `json:"reason,omitempty"` // of lost
}

// Reasons of errors: stable words for programs.
const (
	ReasonNotFound     = "not_found"
	ReasonMethod       = "method_not_allowed"
	ReasonBadRequest   = "bad_request"
	ReasonTooLarge     = "too_large"
	ReasonUnauthorized = "unauthorized"
	ReasonForbidden    = "forbidden"
	ReasonBusy         = "busy"
	ReasonSolo         = "solo"
	ReasonLeaving      = "leaving"
	ReasonUnreachable  = "unreachable" // another node that has to be asked
	ReasonNobodyFits   = "nobody_fits" // no known member could take the job
	ReasonInternal     = "internal"
)

// Error is a refusal, as it travels: what was wrong, a stable word for it, and what to
// do. It is an error.
type Error struct {
	Status  int    `json:"-"` // of HTTP
	Message string `json:"error"`
	Reason  string `json:"reason"`
	Hint    string `json:"hint,omitempty"`
}

// Error tells the message and the hint.
func (e *Error) Error() string {
	if e.Hint == "" {
		return e.Message
	}
	return e.Message + ": " + e.Hint
}

func marshal(v any) ([]byte, error) {
	b, err := json.Marshal(v)
	return append(b, '\n'), err
}
