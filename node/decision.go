package node

import (
	"strconv"
	"time"

	"github.com/filchsched/filch/node/control"
	"github.com/filchsched/filch/steal/cost"
)

// A Decision says where a task should go, and what that rests on. It costs no allocation; what people want to read is made
// by Explain.
type Decision struct {
	ID     DecisionID
	Target string // the peer ID of the node; "": no node may run it
	Local  bool   // the target is this node
	// Confidence is how likely it is that the task usually ends sooner at the target than at the best of the others, 0 to 1.
	Confidence float64
	// Margin is by how much the target's 90th percentile is better than that of the best of the others. It is negative
	// where staying, or a trial, was preferred.
	Margin time.Duration
	// Reason is why, in some words.
	Reason string
	// Expires is when to decide anew: what it rests on is old then. A Decision may be followed until then.
	Expires time.Time
	// Candidates are all nodes, the best first, then those that are none, each with why. Explain fills it.
	Candidates []Estimate

	by     *decider
	at     time.Duration
	ask    cost.Ask
	chosen cost.Estimate
}

// A DecisionID names a decision of one node's life.
type DecisionID uint64

// String is such as "d42".
func (id DecisionID) String() string { return "d" + strconv.FormatUint(uint64(id), 10) }

// A Dist is how long something takes: half of the time at most P50, nine times of ten at most P90.
type Dist struct{ P50, P90 time.Duration }

// An Estimate is what is expected of a node, from the decision to the outcome.
type Estimate struct {
	Node     string // peer ID
	Name     string // for people
	Total    Dist
	Queue    Dist // until a core is free
	Transfer Dist // of the task and its input
	Cold     Dist // what the first time there takes more
	Exec     Dist // the run
	Return   Dist // of the outcome
	// StateAge is how old the news of its load are; −1: there are none.
	StateAge time.Duration
	Samples  int    // of this function there; old ones count less
	Rejected string // why it is no candidate; "": it is one
}

func dist(d cost.Dist) Dist { return Dist{d.P50(), d.P90()} }

// Expired tells whether the decision is too old to be followed.
func (d *Decision) Expired() bool { return time.Now().After(d.Expires) }

// Placeable tells whether there is a node that may run the task.
func (d *Decision) Placeable() bool { return d.Target != "" }

// Explain fills Candidates with what is expected of every node now, and tells the whole for people: the reason and a
// table, a line per node. It may be called as long as the node runs.
func (d *Decision) Explain() string {
	v := d.view()
	return v.Text()
}

// view fills Candidates and is the decision as the control API tells it.
func (d *Decision) view() control.Decision {
	if d.by != nil && d.Candidates == nil {
		d.Candidates = d.by.estimates(&d.ask, d.at, &d.chosen)
	}
	v := control.Decision{
		ID: d.ID.String(), NodeID: d.Target, Local: d.Local, Placeable: d.Placeable(), Runs: d.ask.Function, Kind: string(d.ask.Kind), InBytes: d.ask.In,
		Confidence: d.Confidence, MarginSeconds: d.Margin.Seconds(), Reason: d.Reason, Expires: d.Expires, Candidates: []control.Candidate{},
	}
	for k := range d.Candidates {
		e := &d.Candidates[k]
		if e.Node == d.Target {
			v.Node = e.Name
		}
		c := control.Candidate{
			Name: e.Name, ID: e.Node, Rejected: e.Rejected, Samples: e.Samples, Total: told(e.Total), Queue: told(e.Queue), Transfer: told(e.Transfer),
			Cold: told(e.Cold), Run: told(e.Exec), Return: told(e.Return),
		}
		if e.StateAge >= 0 {
			age := e.StateAge.Seconds()
			c.AgeSeconds = &age
		}
		v.Candidates = append(v.Candidates, c)
	}
	return v
}

func told(d Dist) control.Dist {
	return control.Dist{P50Seconds: d.P50.Seconds(), P90Seconds: d.P90.Seconds()}
}
