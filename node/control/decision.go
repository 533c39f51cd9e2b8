package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"text/tabwriter"
	"time"
)

// Deciding is the body of POST /v1/decide: a command, or a function, for which a place is looked for. The other fields
// are as in a Submission.
type Deciding struct {
	Command         *Command `json:"command,omitempty"`
	Function        string   `json:"function,omitempty"`  // instead of a command
	InBytes         int64    `json:"in_bytes,omitempty"`  // that travel with it
	OutBytes        *int64   `json:"out_bytes,omitempty"` // that come back; null: as many as usual
	TakesSeconds    float64  `json:"takes_seconds,omitempty"`
	DeadlineSeconds float64  `json:"deadline_seconds,omitempty"`
	Zones           []string `json:"zones,omitempty"` // that the data must not leave
	Energy          float64  `json:"energy,omitempty"`
	Cores           int      `json:"cores,omitempty"`
	MemoryBytes     int64    `json:"memory_bytes,omitempty"`
	Require         []string `json:"require,omitempty"`
	On              []string `json:"on,omitempty"`
	Avoid           []string `json:"avoid,omitempty"`
	Local           bool     `json:"local,omitempty"`
}

// A Decision is the answer: where a task should go, and why.
type Decision struct {
	ID            string      `json:"id"`
	Placeable     bool        `json:"placeable"` // some node may run it
	Node          string      `json:"node"`      // "" if there is none
	NodeID        string      `json:"node_id"`
	Local         bool        `json:"local"`
	Runs          string      `json:"runs"` // the function or program
	Kind          string      `json:"kind"`
	InBytes       int64       `json:"in_bytes"`
	Confidence    float64     `json:"confidence"`
	MarginSeconds float64     `json:"margin_seconds"`
	Reason        string      `json:"reason"`
	Expires       time.Time   `json:"expires"`
	Candidates    []Candidate `json:"candidates"` // the best first; those that are rejected last
}

// A Candidate is what is expected of one node.
type Candidate struct {
	Name       string   `json:"name"`
	ID         string   `json:"id"`
	Rejected   string   `json:"rejected"` // why it is none; "": it is one
	Total      Dist     `json:"total"`
	Queue      Dist     `json:"queue"`
	Transfer   Dist     `json:"transfer"`
	Cold       Dist     `json:"cold"`
	Run        Dist     `json:"run"`
	Return     Dist     `json:"return"`
	AgeSeconds *float64 `json:"age_seconds"` // of the news of its load; null without any
	Samples    int      `json:"samples"`
}

// A Dist is how long something takes.
type Dist struct {
	P50Seconds float64 `json:"p50_seconds"`
	P90Seconds float64 `json:"p90_seconds"`
}

// maxTold bounds the lines of Text.
const maxTold = 50

// Text is a decision for people: a sentence, and a table with a line for each node, each time as P50/P90.
func (d *Decision) Text() string {
	var b strings.Builder
	switch {
	case !d.Placeable:
		fmt.Fprintf(&b, "%s: nowhere: %s\n", d.Runs, d.Reason)
	case d.Local:
		fmt.Fprintf(&b, "%s: here, on %s: %s", d.Runs, d.Node, d.Reason)
	default:
		fmt.Fprintf(&b, "%s: on %s: %s", d.Runs, d.Node, d.Reason)
	}
	if d.Placeable {
		fmt.Fprintf(&b, " (%s by the 90th percentile than the next, %.0f %% sure)\n", sooner(d.MarginSeconds), 100*d.Confidence)
	}
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NODE\tTOTAL\tQUEUE\tTRANSFER\tCOLD\tRUN\tRETURN\tSAMPLES\tNEWS\tNO CANDIDATE SINCE IT")
	for k, c := range d.Candidates {
		if k == maxTold {
			fmt.Fprintf(w, "and %d more\n", len(d.Candidates)-k)
			break
		}
		news := "-"
		if c.AgeSeconds != nil {
			news = digits(*c.AgeSeconds) + " old"
		}
		fmt.Fprintf(w, "%s\t%v\t%v\t%v\t%v\t%v\t%v\t%d\t%s\t%s\n", c.Name, c.Total, c.Queue, c.Transfer, c.Cold, c.Run, c.Return, c.Samples, news, c.Rejected)
	}
	w.Flush()
	return b.String()
}

// String is P50/P90.
func (d Dist) String() string {
	if d.P90Seconds == 0 {
		return "0"
	}
	return digits(d.P50Seconds) + "/" + digits(d.P90Seconds)
}

// digits is a time with two or three digits.
func digits(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	for unit := time.Microsecond; unit < time.Hour; unit *= 10 {
		if d < 1000*unit {
			return d.Round(unit).String()
		}
	}
	return d.Round(time.Minute).String()
}

func sooner(seconds float64) string {
	if seconds < 0 {
		return digits(-seconds) + " later"
	}
	return digits(seconds) + " sooner"
}

func (s *Server) decide(w http.ResponseWriter, r *http.Request) error {
	var q Deciding
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	d.DisallowUnknownFields() // a constraint that is not understood is not ignored
	if err := d.Decode(&q); err != nil {
		if errors.As(err, new(*http.MaxBytesError)) {
			return tooLarge()
		}
		return badRequest("the body is no task to decide about: %s", clip(err.Error()))
	}
	if _, err := d.Token(); err != io.EOF {
		return badRequest("there is more than a task in the body")
	}
	answered, err := s.jobs.Decide(r.Context(), q)
	return answer(w, answered, err)
}

// Decide asks the node where a task should go.
func (c *Client) Decide(ctx context.Context, q Deciding) (d Decision, err error) {
	b, err := json.Marshal(q)
	if err != nil {
		return d, err
	}
	err = c.send(ctx, http.MethodPost, "/v1/decide", bytes.NewReader(b), &d)
	return d, err
}
