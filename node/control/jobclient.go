package control

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Submit leaves a job with the node.
func (c *Client) Submit(ctx context.Context, s Submission) (j Job, err error) {
	b, err := json.Marshal(s)
	if err != nil {
		return j, err
	}
	if len(b) > maxSubmission {
		return j, fmt.Errorf("the job has %d MiB of commands and environment, and a node takes %d MiB: submit it in parts", len(b)>>20, maxSubmission>>20)
	}
	err = c.send(ctx, http.MethodPost, "/v1/jobs", bytes.NewReader(b), &j)
	return j, err
}

// Jobs lists the jobs that were left with the node.
func (c *Client) Jobs(ctx context.Context) ([]Job, error) {
	var j Jobs
	err := c.call(ctx, http.MethodGet, "/v1/jobs", &j)
	return j.Jobs, err
}

// Job asks for a job and a page of its tasks.
func (c *Client) Job(ctx context.Context, id string, from, most int) (d JobDetail, err error) {
	if err = named(id); err != nil {
		return d, err
	}
	q := url.Values{"from": {strconv.Itoa(from)}, "limit": {strconv.Itoa(most)}}
	err = c.call(ctx, http.MethodGet, "/v1/jobs/"+escapeID(id)+"?"+q.Encode(), &d)
	return d, err
}

// Wait returns when a job has ended, or ctx is done.
func (c *Client) Wait(ctx context.Context, id string) (j Job, err error) {
	if err = named(id); err != nil {
		return j, err
	}
	for {
		if err = c.call(ctx, http.MethodPost, "/v1/jobs/"+escapeID(id)+"/wait", &j); err != nil || j.Ended != nil {
			return j, err
		}
		if ctx.Err() != nil {
			return j, ctx.Err()
		}
	}
}

// Cancel cancels a job, and returns what is known of that after at most so long.
func (c *Client) Cancel(ctx context.Context, id string, patience time.Duration) (a Cancelled, err error) {
	if err = named(id); err != nil {
		return a, err
	}
	q := url.Values{"timeout": {strconv.FormatFloat(patience.Seconds(), 'f', -1, 64)}}
	err = c.call(ctx, http.MethodPost, "/v1/jobs/"+escapeID(id)+"/cancel?"+q.Encode(), &a)
	return a, err
}

// Output asks for what is kept of what a task printed.
func (c *Client) Output(ctx context.Context, id string, index int) (o Output, err error) {
	if err = named(id); err != nil {
		return o, err
	}
	err = c.call(ctx, http.MethodGet, "/v1/jobs/"+escapeID(id)+"/output?task="+strconv.Itoa(index), &o)
	return o, err
}

// named refuses an empty name before it becomes part of a path.
func named(id string) error {
	if id == "" {
		return errors.New("the name of the job is empty; \"filch jobs\" lists those left with the node")
	}
	return nil
}

// Explain asks for the story of a task, of whichever node.
func (c *Client) Explain(ctx context.Context, task string) (e Explanation, err error) {
	err = c.call(ctx, http.MethodGet, "/v1/explain?"+url.Values{"task": {task}}.Encode(), &e)
	return e, err
}

// Steals asks who ran what for whom.
func (c *Client) Steals(ctx context.Context) (s Steals, err error) {
	err = c.call(ctx, http.MethodGet, "/v1/steals", &s)
	return s, err
}

// Runs lists the runs of command lines that are, or lately were, guests of the node.
func (c *Client) Runs(ctx context.Context) ([]Run, error) {
	var r Runs
	err := c.call(ctx, http.MethodGet, "/v1/runs", &r)
	return r.Runs, err
}

// Guest connects to the node as its guest: what is said on the connection afterwards is
// package steal/guest's business. The caller closes it.
func (c *Client) Guest(ctx context.Context) (net.Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", c.socket)
	if err != nil {
		return nil, &NotRunningError{Tried: []string{c.socket}, Err: err}
	}
	if err := upgrade(ctx, conn); err != nil {
		conn.Close()
		return nil, fmt.Errorf("the node at %s: %w", c.socket, err)
	}
	return conn, nil
}

// upgrade asks for the guests' protocol on a new connection.
func upgrade(ctx context.Context, conn net.Conn) error {
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Now()) })
	defer stop()
	_ = conn.SetDeadline(time.Now().Add(answerTimeout))
	const ask = "POST /v1/guest HTTP/1.1\r\nHost: filch\r\nConnection: Upgrade\r\nUpgrade: " + GuestProtocol + "\r\nContent-Length: 0\r\n\r\n"
	if _, err := io.WriteString(conn, ask); err != nil {
		return err
	}
	// Byte by byte to the end of the answer's head: what follows belongs to the guest.
	resp, err := readHead(conn)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusSwitchingProtocols {
		refusal := &Error{Status: resp.StatusCode}
		if err := json.NewDecoder(io.LimitReader(io.MultiReader(resp.Body, conn), maxEvent)).Decode(refusal); err == nil && refusal.Message != "" {
			return refusal
		}
		return fmt.Errorf("it answered with %s", resp.Status)
	}
	if !stop() {
		return context.Cause(ctx)
	}
	return conn.SetDeadline(time.Time{})
}

var errLongHead = errors.New("its answer does not end")

func readHead(conn net.Conn) (*http.Response, error) {
	var head []byte
	for one := make([]byte, 1); !bytes.HasSuffix(head, []byte("\r\n\r\n")); {
		if len(head) > maxHeader {
			return nil, errLongHead
		}
		if _, err := io.ReadFull(conn, one); err != nil {
			return nil, err
		}
		head = append(head, one[0])
	}
	return http.ReadResponse(bufio.NewReader(bytes.NewReader(head)), nil)
}

// escapeID keeps an ID within the path; the slash after its node stays one.
func escapeID(id string) string { return (&url.URL{Path: id}).EscapedPath() }
