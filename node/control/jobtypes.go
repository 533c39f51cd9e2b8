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
	Home  string   `json:"home"` // the home's name; of a task of a "filch run" that of its node
	Run   *Run     `json:"run"`  // whose task it is; null unless it is a "filch run"
	Job   *Job     `json:"job"`  // null for single calls and runs
	Runs  string   `json:"runs"`
	Kind  string   `json:"kind"`
	State string   `json:"state"`
	Ended *Task    `json:"ended"` // its outcome; null without one, and of runs
	Story []string `json:"story"` // the accounts for people
	// Accounts are what each process that had to do with it knows: the home's first, then those of who
	// had it from there.
	Accounts []Account `json:"accounts"`
	Peers    []Peer    `json:"peers"` // the nodes in the story, as the home's node sees them now
}

// Account is what one process knows of a task.
type Account struct {
	By       string     `json:"by"` // name
	ByID     string     `json:"by_id"`
	Home     bool       `json:"home"`  // it is the task's home, and its word counts
	State    string     `json:"state"` // at home: queued, held or committed
	Events   []Incident `json:"events"`
	Older    uint64     `json:"older"`   // events of the job that are forgotten
	Holders  []Holder   `json:"holders"` // who has it now
	Refusals []Refusal  `json:"refusals"`
	Waits    []string   `json:"waits"` // why it does not run; empty unless it is queued
	// Failures count against the retries, Losses against the crash limit; Blamed are put down to nodes.
	Failures int  `json:"failures"`
	Losses   int  `json:"losses"`
	Blamed   int  `json:"blamed"`
	Suspect  bool `json:"suspect"` // it was lost once with an unknown start, and goes out alone
}

// Incident is one thing that happened to a task.
type Incident struct {
	Time    time.Time `json:"time"`
	What    string    `json:"what"`    // such as "granted to", followed by the node
	Tasks   string    `json:"tasks"`   // indices that it happened to together, such as 0-63
	Attempt uint32    `json:"attempt"` // 0: none in particular
	Node    string    `json:"node"`    // name; "" if it is about none
	NodeID  string    `json:"node_id"`
	Why     string    `json:"why"`
	// Estimates are what a decision to have it run somewhere rested on; null for what is no such decision.
	Estimates *Estimates `json:"estimates"`
}

// Estimates are in seconds, as they were when it was decided.
type Estimates struct {
	Level    string  `json:"level"`            // how far the node is; "self": it is the one that decided
	Here     float64 `json:"here_seconds"`     // until the last of what waited would have started where it was
	Queue    float64 `json:"queue_seconds"`    // until a core is free there
	Transfer float64 `json:"transfer_seconds"` // there
	Run      float64 `json:"run_seconds"`
	Return   float64 `json:"return_seconds"`
	LoadAge  float64 `json:"load_age_seconds"` // of what the node had said of its load
}

// Holder is somebody who has a task now.
type Holder struct {
	Node    string `json:"node"` // name; "": unknown, since before a restart
	NodeID  string `json:"node_id"`
	Attempt uint32 `json:"attempt"`
	State   string `json:"state"`
	LentTo  string `json:"lent_to"` // name of who had it from there; ""
}

// Refusal is how often a node did not get, or did not want, tasks of the job, for one reason.
type Refusal struct {
	Node   string `json:"node"` // name; "": several
	NodeID string `json:"node_id"`
	Reason string `json:"reason"`
	Tasks  uint64 `json:"tasks"`
}

// Run is a "filch run" on a node's machine, as the node tells it.
type Run struct {
	ID      string     `json:"id"`   // run-…, a new one each time
	Name    string     `json:"name"` // --job
	Runs    string     `json:"runs"` // its command
	Node    string     `json:"node"` // name of the node
	NodeID  string     `json:"node_id"`
	Started time.Time  `json:"started"`
	Ended   *time.Time `json:"ended"` // null while it lives
}

// Runs is the answer to GET /v1/runs, the oldest first.
type Runs struct {
	Runs []Run `json:"runs"`
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

// Steal is what one node took from another and ran, or lent on, as one of the two counted it since it started.
type Steal struct {
	Thief   string  `json:"thief"` // name
	Victim  string  `json:"victim"`
	ThiefID string  `json:"thief_id"`
	FromID  string  `json:"victim_id"`
	Level   string  `json:"level"` // how far they are from each other
	Home    string  `json:"home"`  // whose tasks they are: a node's name, or NODE of a "filch run"
	HomeID  string  `json:"home_id"`
	Job     string  `json:"job"`  // of a "filch run": its name; "" if it is not known
	Runs    string  `json:"runs"` // and what it runs
	Tasks   uint64  `json:"tasks"`
	Failed  uint64  `json:"failed"` // of them
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
	Held bool   `json:"held,omitempty"` // only the account of who is asked, whosever the task is
}

// Explained answers it: one of the three.
type Explained struct {
	Explanation *Explanation `json:"explanation,omitempty"`
	Account     *Account     `json:"account,omitempty"`
	Error       *Error       `json:"error,omitempty"`
	Status      int          `json:"status,omitempty"` // of the error
}
