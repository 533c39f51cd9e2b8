package control

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"strconv"
	"time"
)

// A Client asks one node over its Unix socket. It keeps no connection between calls and
// may be used concurrently.
type Client struct {
	socket string
	dial   dialer
	http   *http.Client
}

// Limits of the client: a node that is broken does no harm to who asks it.
const (
	maxAnswer     = 64 << 20         // bytes of an answer; 10,000 members have about 6 MB
	maxEvent      = 1 << 20          // bytes of one event
	answerTimeout = 30 * time.Second // for an answer to begin
)

// NewClient returns a client of the node at a socket. It does not connect yet.
func NewClient(socket string) *Client {
	var d net.Dialer
	return newClient(socket, answerTimeout, func(ctx context.Context, _, _ string) (net.Conn, error) { return d.DialContext(ctx, "unix", socket) })
}

// newClient is one that waits so long for an answer to begin.
func newClient(socket string, patience time.Duration, dial dialer) *Client {
	return &Client{socket: socket, dial: dial, http: &http.Client{
		Transport: &http.Transport{
			DialContext:           dial,
			DisableKeepAlives:     true,
			DisableCompression:    true,
			ResponseHeaderTimeout: patience,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

type dialer func(ctx context.Context, network, addr string) (net.Conn, error)

// Socket is where the node was found.
func (c *Client) Socket() string { return c.socket }

// Node asks the node about itself.
func (c *Client) Node(ctx context.Context) (n Node, err error) {
	err = c.call(ctx, http.MethodGet, "/v1/node", &n)
	return n, err
}

// Members asks the node whom it knows.
func (c *Client) Members(ctx context.Context) ([]Member, error) {
	var m Members
	err := c.call(ctx, http.MethodGet, "/v1/nodes", &m)
	return m.Nodes, err
}

// JoinString asks for what another machine needs to join. It contains the secret.
func (c *Client) JoinString(ctx context.Context) (j JoinString, err error) {
	err = c.call(ctx, http.MethodGet, "/v1/join-string", &j)
	return j, err
}

// Leave has the node say goodbye and end, within so much time; 0: what the node is configured for. It
// returns when the goodbye is out.
func (c *Client) Leave(ctx context.Context, within time.Duration) error {
	path := "/v1/leave"
	if within > 0 {
		path += "?timeout=" + strconv.FormatFloat(within.Seconds(), 'f', -1, 64)
	} else {
		n, err := c.Node(ctx)
		if err != nil {
			return err
		}
		within = time.Duration(n.DrainTimeoutSeconds * float64(time.Second))
	}
	// The answer begins when what runs has ended.
	patient := newClient(c.socket, within+answerTimeout, c.dial)
	return patient.call(ctx, http.MethodPost, path, new(Left))
}

// Metrics writes the node's metrics to w, in Prometheus' text format.
func (c *Client) Metrics(ctx context.Context, w io.Writer) error {
	body, err := c.open(ctx, http.MethodGet, "/metrics")
	if err != nil {
		return err
	}
	defer body.Close()
	_, err = io.Copy(w, io.LimitReader(body, maxAnswer))
	return err
}

// Watch yields what there is and then what changes, until ctx ends, the stream breaks or
// the node says that it is over; after an error nothing more comes.
func (c *Client) Watch(ctx context.Context) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		body, err := c.open(ctx, http.MethodGet, "/v1/watch")
		if err != nil {
			yield(Event{}, err)
			return
		}
		defer body.Close()
		lines := bufio.NewScanner(body)
		lines.Buffer(nil, maxEvent)
		for lines.Scan() {
			var e Event
			if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
				yield(Event{}, fmt.Errorf("the node at %s sent what is no event: %w", c.socket, err))
				return
			}
			if !yield(e, nil) {
				return
			}
			if e.Kind == EventLost {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(Event{}, err)
			return
		}
		yield(Event{}, fmt.Errorf("the node at %s ended: %w", c.socket, cmp.Or(lines.Err(), io.EOF)))
	}
}

// call makes a request and reads the answer into out.
func (c *Client) call(ctx context.Context, method, path string, out any) error {
	return c.send(ctx, method, path, nil, out)
}

// send is call with a body.
func (c *Client) send(ctx context.Context, method, path string, content io.Reader, out any) error {
	body, err := c.openWith(ctx, method, path, content)
	if err != nil {
		return err
	}
	defer body.Close()
	if err := json.NewDecoder(io.LimitReader(body, maxAnswer)).Decode(out); err != nil {
		return fmt.Errorf("the node at %s answered %s with something else than JSON: %w", c.socket, path, err)
	}
	return nil
}

// open makes a request and returns the answer's body if it is one. A refusal is an
// *Error, nobody there a *NotRunningError.
func (c *Client) open(ctx context.Context, method, path string) (io.ReadCloser, error) {
	return c.openWith(ctx, method, path, nil)
}

func (c *Client) openWith(ctx context.Context, method, path string, content io.Reader) (io.ReadCloser, error) {
	r, err := http.NewRequestWithContext(ctx, method, "http://filch"+path, content)
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(r)
	if err != nil {
		var op *net.OpError
		if errors.As(err, &op) && op.Op == "dial" {
			return nil, &NotRunningError{Tried: []string{c.socket}, Err: op}
		}
		return nil, fmt.Errorf("the node at %s does not answer: %w", c.socket, err)
	}
	if resp.StatusCode == http.StatusOK {
		return resp.Body, nil
	}
	defer resp.Body.Close()
	refusal := &Error{Status: resp.StatusCode}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxEvent)).Decode(refusal); err != nil || refusal.Message == "" {
		return nil, fmt.Errorf("the node at %s answered %s with %s", c.socket, path, resp.Status)
	}
	return nil, refusal
}
