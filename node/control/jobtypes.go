package control

import "time"

// States of a job and of a task. A task is waiting until it has its one outcome; where it is
// until then tells Explanation.
const (
	JobRunning   = "running"   // tasks are without outcome
	JobDone      = "done"      // all tasks are done
	JobFailed    = "failed"    // it ended, and some tasks failed
	JobCancelled = "cancelled" // it was cancelled before it ended

	TaskWaiting   = "waiting"
	TaskDone      = "done"
	TaskFailed    = "failed"
	TaskCancelled = "cancelled"
)

// Submission is the body of POST /v1/jobs: a job of commands.
type Submission struct {
	Name     string    `json:"name,omitempty"` // for people
	Commands []Command `json:"commands"`
	Dir      string    `json:"dir,omitempty"` // absolute; needed unless Anywhere
	Anywhere bool      `json:"anywhere,omitempty"`
	// Env is "NAME=value": the whole environment, or with Anywhere what is declared.
	Env            []string `json:"env,omitempty"`
	Umask          *int     `json:"umask,omitempty"` // null: the node's
	TimeoutSeconds float64  `json:"timeout_seconds,omitempty"`
	Nice           int      `json:"nice,omitempty"`
	Retries        int      `json:"retries,omitempty"` // failures that are tried again
	Cores          int      `json:"cores,omitempty"`
	MemoryBytes    int64    `json:"memory_bytes,omitempty"`
	Idempotent     bool     `json:"idempotent,omitempty"` // two copies of a command do no harm
	Keep           bool     `json:"keep,omitempty"`       // a node that is cut off goes on with what it runs
	Require        []string `json:"require,omitempty"`    // labels, "key=value"
	On             []string `json:"on,omitempty"`         // nodes, by name or ID
	Avoid          []string `json:"avoid,omitempty"`
	Local          bool     `json:"local,omitempty"` // only the node that is asked
	MaxRunning     int      `json:"max_running,omitempty"`
}

// Command is one task of a Submission: Argv is executed as it is; Line goes to a shell where
// there is no Argv, or where a shell would do something else with it.
type Command struct {
	Argv []string `json:"argv,omitempty"`
	Line string   `json:"line,omitempty"`
}

// Job is a job as its home tells it.
type Job struct {
	ID        string     `json:"id"` // HOME/START.NUMBER
	Name      string     `json:"name"`
	Runs      string     `json:"runs"` // the function or program of its tasks
	Kind      string     `json:"kind"` // proc or func
	State     string     `json:"state"`
	Tasks     int        `json:"tasks"`
	Done      int        `json:"done"`
	Failed    int        `json:"failed"`
	Cancelled int        `json:"cancelled"`
	Nice      int        `json:"nice"`
	Submitted time.Time  `json:"submitted"`
	Ended     *time.Time `json:"ended"` // null while it runs
}

// Jobs is the answer to GET /v1/jobs, the oldest first.
type Jobs struct {
	Jobs []Job `json:"jobs"`
}

// Task is what a task of a job ended in.
type Task struct {
	ID         string     `json:"id"` // HOME/START.NUMBER/INDEX
	Index      int        `json:"index"`
	Runs       string     `json:"runs"` // the command
	State      string     `json:"state"`
	Exit       *int       `json:"exit"` // null without an outcome; 128 + n: signal n ended it
	Reason     string     `json:"reason,omitempty"`
	Host       string     `json:"host"` // name of the node that ran it, "" if none did
	HostID     string     `json:"host_id"`
	Attempt    uint32     `json:"attempt"` // the number of the attempt that counted, counted per job
	RanSeconds float64    `json:"ran_seconds"`
	Ended      *time.Time `json:"ended"`
}

// JobDetail is the answer to GET /v1/jobs/ID: a page of tasks. Next is the index at which
// the next page begins, 0 after the last.
type JobDetail struct {
	Job
	Page []Task `json:"page"`
	Next int    `json:"next"`
}

// Output is the answer to GET /v1/jobs/ID/output: what is kept of what a task printed. The
// texts are base64 in JSON.
type Output struct {
	Task
	Stdout      []byte `json:"stdout"`
	Stderr      []byte `json:"stderr"`
	StdoutBytes int64  `json:"stdout_bytes"` // of all that it printed
	StderrBytes int64  `json:"stderr_bytes"`
	Result      []byte `json:"result,omitempty"` // of a function
	Dropped     bool   `json:"dropped"`          // some of it is not kept any more
}

// Cancelled is the answer to POST /v1/jobs/ID/cancel.
type Cancelled struct {
	Accepted bool `json:"accepted"` // nothing starts any more, and nothing ends in anything but cancelled
	Stopped  bool `json:"stopped"`  // nothing of it runs anywhere
	// Unconfirmed are the nodes, by name, that vanished with tasks of it.
	Unconfirmed []string `json:"unconfirmed"`
	Unknown     bool     `json:"unknown"` // somebody may run something, and nobody knows who
}

// Explanation is the answer to GET /v1/explain: what happened to a task, and why.
type Explanation struct {
	Task  string   `json:"task"` // HOME/START.NUMBER/INDEX
	Home  string   `json:"home"` // the home's name
	Job   *Job     `json:"job"`  // null for single calls
	Runs  string   `json:"runs"`
	Kind  string   `json:"kind"`
	State string   `json:"state"`
	Ended *Task    `json:"ended"` // its outcome; null without one
	Story []string `json:"story"` // every attempt with its reason, where it is now, and what refused it
	Peers []Peer   `json:"peers"` // the nodes in the story, as the home sees them now
}

// Peer is a node that an explanation speaks of.
type Peer struct {
	Name        string   `json:"name"`
	ID          string   `json:"id"`
	State       string   `json:"state"`
	Level       string   `json:"level"`
	LevelReason string   `json:"level_reason"`
	RTTSeconds  *float64 `json:"rtt_seconds"`
	FreeCores   *int     `json:"free_cores"`
	AgeSeconds  *float64 `json:"age_seconds"` // of the news of its load
}

// Steal is what one node ran of another's, as one of the two counted it since it started.
type Steal struct {
	Thief   string  `json:"thief"` // name
	Victim  string  `json:"victim"`
	ThiefID string  `json:"thief_id"`
	HomeID  string  `json:"victim_id"`
	Level   string  `json:"level"` // how far they are from each other
	Tasks   uint64  `json:"tasks"`
	Failed  uint64  `json:"failed"` // of them; counted at the thief
	Seconds float64 `json:"ran_seconds"`
}

// Steals is the answer to GET /v1/steals. Totals count what the protocol did here.
type Steals struct {
	Steals []Steal           `json:"steals"` // by level, then tasks
	Totals map[string]uint64 `json:"totals"`
}

// Explaining is a request from one node to another, for the story of a task of the
// latter's. It is no part of the HTTP API.
type Explaining struct {
	Task string `json:"task"`
}

// Explained answers it: one of the two.
type Explained struct {
	Explanation *Explanation `json:"explanation,omitempty"`
	Error       *Error       `json:"error,omitempty"`
	Status      int          `json:"status,omitempty"` // of the error
}
