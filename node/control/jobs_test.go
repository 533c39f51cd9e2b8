//go:build unix

package control

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func (fake) Submit(_ context.Context, s Submission) (Job, error) {
	if len(s.Commands) == 0 {
		return Job{}, badRequest("a job needs at least one command")
	}
	return Job{ID: "n/1.1", Name: s.Name, Tasks: len(s.Commands), State: JobRunning}, nil
}
func (fake) Jobs(context.Context) ([]Job, error) { return []Job{{ID: "n/1.1"}}, nil }
func (fake) Job(_ context.Context, id string, from, most int) (JobDetail, error) {
	if id != "n/1.1" {
		return JobDetail{}, &Error{http.StatusNotFound, "there is no job " + id, ReasonNotFound, ""}
	}
	d := JobDetail{Job: Job{ID: id, Tasks: 3}}
	for i := from; i < min(3, from+most); i++ {
		d.Page = append(d.Page, Task{Index: i})
	}
	return d, nil
}
func (fake) Wait(ctx context.Context, id string) (Job, error) {
	if id == "n/1.2" {
		<-ctx.Done()
		return Job{ID: id}, nil
	}
	now := time.Now()
	return Job{ID: id, Ended: &now}, nil
}
func (fake) Cancel(context.Context, string) (Cancelled, error) {
	return Cancelled{Accepted: true, Unconfirmed: []string{"web1"}}, nil
}
func (fake) Output(_ context.Context, _ string, i int) (Output, error) {
	return Output{Task: Task{Index: i}, Stdout: []byte("out\n")}, nil
}
func (fake) Explain(_ context.Context, task string) (Explanation, error) {
	return Explanation{Task: task}, nil
}
func (fake) Steals(context.Context) (Steals, error) { return Steals{Steals: []Steal{}}, nil }

func (fake) Decide(_ context.Context, q Deciding) (Decision, error) {
	if q.Command == nil {
		return Decision{}, &Error{http.StatusBadRequest, "no command", ReasonBadRequest, ""}
	}
	return Decision{Placeable: true, Node: "n1", Runs: q.Command.Argv[0], Candidates: []Candidate{}}, nil
}
func (fake) Runs(context.Context) ([]Run, error) { return []Run{{ID: "run-1"}}, nil }
func (fake) Guest(ctx context.Context, conn net.Conn) error {
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	_, err := io.Copy(conn, conn)
	return err
}

// TestJobsOverTheSocket: what the client asks for is what the node is asked, and the
// answers come back.
func TestJobsOverTheSocket(t *testing.T) {
	c, _ := serve(t)
	ctx := t.Context()
	large := Submission{Name: "x", Commands: []Command{{Line: strings.Repeat("x", 1<<20)}}}
	if j, err := c.Submit(ctx, large); err != nil || j.ID != "n/1.1" || j.Tasks != 1 {
		t.Errorf("submit: %+v, %v", j, err)
	}
	var refusal *Error
	if _, err := c.Submit(ctx, Submission{}); !errors.As(err, &refusal) || refusal.Reason != ReasonBadRequest {
		t.Errorf("an empty job: %v", err)
	}
	if j, err := c.Jobs(ctx); err != nil || len(j) != 1 {
		t.Errorf("list: %+v, %v", j, err)
	}
	if d, err := c.Job(ctx, "n/1.1", 1, 5); err != nil || len(d.Page) != 2 || d.Page[0].Index != 1 {
		t.Errorf("one: %+v, %v", d, err)
	}
	if _, err := c.Job(ctx, "a b?/1.1", 0, 5); !errors.As(err, &refusal) || refusal.Message != "there is no job a b?/1.1" {
		t.Errorf("another: %v", err)
	}
	if j, err := c.Wait(ctx, "n/1.1"); err != nil || j.Ended == nil {
		t.Errorf("wait: %+v, %v", j, err)
	}
	short, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := c.Wait(short, "n/1.2"); !errors.Is(err, context.Canceled) {
		t.Errorf("an impatient wait: %v", err)
	}
	if a, err := c.Cancel(ctx, "1.1", time.Second); err != nil || !a.Accepted || a.Unconfirmed[0] != "web1" {
		t.Errorf("cancel: %+v, %v", a, err)
	}
	if o, err := c.Output(ctx, "1.1", 2); err != nil || o.Index != 2 || string(o.Stdout) != "out\n" {
		t.Errorf("output: %+v, %v", o, err)
	}
	if e, err := c.Explain(ctx, "n/1.1/2"); err != nil || e.Task != "n/1.1/2" {
		t.Errorf("explain: %+v, %v", e, err)
	}
	if r, err := c.Runs(ctx); err != nil || len(r) != 1 || r[0].ID != "run-1" {
		t.Errorf("runs: %+v, %v", r, err)
	}
	if d, err := c.Decide(ctx, Deciding{Command: &Command{Argv: []string{"true"}}}); err != nil || d.Node != "n1" || d.Runs != "true" {
		t.Errorf("decide: %+v, %v", d, err)
	}
	_, err1 := c.Job(ctx, "", 0, 5)
	_, err2 := c.Wait(ctx, "")
	_, err3 := c.Cancel(ctx, "", time.Second)
	_, err4 := c.Output(ctx, "", 0)
	for _, err := range []error{err1, err2, err3, err4} {
		if err == nil || !strings.Contains(err.Error(), "the name of the job is empty") {
			t.Errorf("a job without a name: %v", err)
		}
	}
	if s, err := c.Steals(ctx); err != nil || s.Steals == nil {
		t.Errorf("steals: %+v, %v", s, err)
	}
}

// TestJobRequestsAreChecked, each with what is wrong.
func TestJobRequestsAreChecked(t *testing.T) {
	h := NewServer(fake{}, nil).Handler(nil)
	for _, c := range []struct{ method, path, body, says string }{
		{"POST", "/v1/jobs", `{"command": []}`, `unknown field \"command\"`},
		{"POST", "/v1/jobs", `{} {}`, "more than a job"},
		{"POST", "/v1/jobs", `no`, "the body is no job"},
		{"GET", "/v1/jobs/n/1.1?from=-1", "", "from: -1 is no number"},
		{"GET", "/v1/jobs/n/1.1?limit=1001", "", "limit: 1001 is no number from 0 to 1000"},
		{"POST", "/v1/jobs/n/1.1/wait?timeout=soon", "", "timeout: soon is no number"},
		{"GET", "/v1/jobs/n/1.1/wait", "", "GET is not for"},
		{"GET", "/v1/jobs/", "", "there is no /v1/jobs/"},
		{"GET", "/v1/jobs/n/1.1/output?task=x", "", "task: x is no number"},
		{"GET", "/v1/explain", "", "say which task"},
		{"POST", "/v1/decide", `{"zone": "eu"}`, `unknown field \"zone\"`},
		{"POST", "/v1/decide", `{} {}`, "more than a task"},
		{"GET", "/v1/decide", "", "GET is not for"},
		{"POST", "/v1/guest", "", "for guests"},
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(c.method, c.path, strings.NewReader(c.body)))
		if w.Code < 400 || w.Code >= 500 || !strings.Contains(w.Body.String(), c.says) {
			t.Errorf("%s %s: %d %s, want %q", c.method, c.path, w.Code, w.Body, c.says)
		}
	}
}

// TestGuestsConnection is the guest's own once it is upgraded, and ends with the server; on TCP
// there are no guests, and no jobs are taken.
func TestGuestsConnection(t *testing.T) {
	c, _ := serve(t)
	conn, err := c.Guest(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write([]byte("hello\n")); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || line != "hello\n" {
		t.Errorf("%q, %v", line, err)
	}
	t.Cleanup(func() { conn.Close() })
	const token = "0123456789abcdef"
	h := NewServer(fake{}, nil).Handler(NewGuard(token))
	for path, status := range map[string]int{"/v1/guest": http.StatusNotFound, "/v1/jobs": http.StatusForbidden} {
		r := httptest.NewRequest("POST", path, strings.NewReader(`{"commands":[{"line":"true"}]}`))
		r.Host = "127.0.0.1"
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Upgrade", GuestProtocol)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != status {
			t.Errorf("%s on TCP: %d %s", path, w.Code, w.Body)
		}
	}
}
