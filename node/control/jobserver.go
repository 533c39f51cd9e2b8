package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// A JobBackend is the part of a node that has jobs. IDs are as people write them.
type JobBackend interface {
	Submit(context.Context, Submission) (Job, error)
	Jobs(context.Context) ([]Job, error)
	Job(ctx context.Context, id string, from, most int) (JobDetail, error)
	// Wait returns when the job has ended, or ctx is done; the job tells which.
	Wait(ctx context.Context, id string) (Job, error)
	// Cancel returns when the job has stopped, or with what is known when ctx is done.
	Cancel(ctx context.Context, id string) (Cancelled, error)
	Output(ctx context.Context, id string, index int) (Output, error)
	Explain(ctx context.Context, task string) (Explanation, error)
	Decide(context.Context, Deciding) (Decision, error)
	Steals(context.Context) (Steals, error)
	Runs(context.Context) ([]Run, error)
	// Guest serves a connection of a process that is a guest of the node, until it ends.
	Guest(context.Context, net.Conn) error
}

// Limits of jobs in the API.
const (
	maxSubmission = 64 << 20         // bytes of a job
	submitTimeout = 2 * time.Minute  // for those to arrive
	maxWait       = 25 * time.Second // that a request waits for a job; ask again
	maxPage       = 1000             // tasks of a page
	defaultPage   = 100
	maxGuests     = 64 // at once, so that others get through
)

// GuestProtocol is what a connection is upgraded to that a guest of the node uses.
const GuestProtocol = "filch-guest/1"

func badRequest(format string, args ...any) error {
	return &Error{http.StatusBadRequest, fmt.Sprintf(format, args...), ReasonBadRequest, "see docs/api.md"}
}

// jobPath takes /v1/jobs/HOME/1.2/VERB apart. An ID may have a slash in it, escaped or
// not.
func jobPath(r *http.Request) (id, verb string) {
	rest := strings.TrimPrefix(r.URL.Path, "/"+Version+"/jobs/")
	for _, v := range []string{"wait", "cancel", "output"} {
		if before, ok := strings.CutSuffix(rest, "/"+v); ok {
			return before, v
		}
	}
	return rest, ""
}

func (s *Server) submit(w http.ResponseWriter, r *http.Request) error {
	c := http.NewResponseController(w)
	_ = c.SetReadDeadline(time.Now().Add(submitTimeout))
	_ = c.SetWriteDeadline(time.Now().Add(submitTimeout + writeTimeout))
	var sub Submission
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxSubmission))
	d.DisallowUnknownFields() // a wish that is not understood is not ignored
	if err := d.Decode(&sub); err != nil {
		if errors.As(err, new(*http.MaxBytesError)) {
			return tooLarge()
		}
		return badRequest("the body is no job: %s", clip(err.Error()))
	}
	if _, err := d.Token(); err != io.EOF {
		return badRequest("there is more than a job in the body")
	}
	j, err := s.jobs.Submit(r.Context(), sub)
	return answer(w, j, err)
}

func tooLarge() error {
	return &Error{http.StatusRequestEntityTooLarge, "the request's body is too large or did not arrive", ReasonTooLarge, ""}
}

func (s *Server) listJobs(w http.ResponseWriter, r *http.Request) error {
	j, err := s.jobs.Jobs(r.Context())
	return answer(w, Jobs{Jobs: j}, err)
}

// job answers what is asked of one job.
func (s *Server) job(w http.ResponseWriter, r *http.Request) error {
	id, verb := jobPath(r)
	q := r.URL.Query()
	switch verb {
	case "wait":
		j, err := withPatience(w, r, q, s.jobs.Wait, id)
		return answer(w, j, err)
	case "cancel":
		// Who asked may go away; the cancel stands all the same.
		c, err := withPatience(w, r, q, s.jobs.Cancel, id)
		return answer(w, c, err)
	case "output":
		index, err := number(q, "task", 0, 0, 1<<31-1)
		if err != nil {
			return err
		}
		o, err := s.jobs.Output(r.Context(), id, index)
		return answer(w, o, err)
	}
	from, err := number(q, "from", 0, 0, 1<<31-1)
	if err != nil {
		return err
	}
	most, err := number(q, "limit", defaultPage, 0, maxPage)
	if err != nil {
		return err
	}
	d, err := s.jobs.Job(r.Context(), id, from, most)
	return answer(w, d, err)
}

// withPatience calls f with as much time as the query's timeout says.
func withPatience[T any](w http.ResponseWriter, r *http.Request, q url.Values, f func(context.Context, string) (T, error), id string) (v T, err error) {
	within, err := seconds(q, "timeout", maxWait, maxWait)
	if err != nil {
		return v, err
	}
	defer patient(w)()
	ctx, cancel := context.WithTimeout(r.Context(), within)
	defer cancel()
	return f(ctx, id)
}

// seconds is a time of a query; more than most is most.
func seconds(q url.Values, name string, usual, most time.Duration) (time.Duration, error) {
	text := q.Get(name)
	if text == "" {
		return usual, nil
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || !(n >= 0) {
		return 0, badRequest("%s: %s is no number of seconds", name, clip(text))
	}
	return min(most, time.Duration(min(n, most.Seconds())*float64(time.Second))), nil
}

func number(q url.Values, name string, usual, least, most int) (int, error) {
	text := q.Get(name)
	if text == "" {
		return usual, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		return 0, badRequest("%s: %s is no number from %d to %d", name, clip(text), least, most)
	}
	return n, nil
}

func (s *Server) explain(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	which := q.Get("task")
	if job := q.Get("job"); job != "" {
		which = job + "/" + which
	}
	if which == "" {
		return badRequest("say which task: ?task=JOB/INDEX, or ?job=JOB&task=INDEX")
	}
	e, err := s.jobs.Explain(r.Context(), which)
	return answer(w, e, err)
}

func (s *Server) steals(w http.ResponseWriter, r *http.Request) error {
	all, err := s.jobs.Steals(r.Context())
	return answer(w, all, err)
}

func (s *Server) runs(w http.ResponseWriter, r *http.Request) error {
	all, err := s.jobs.Runs(r.Context())
	return answer(w, Runs{Runs: all}, err)
}

// guest gives the connection to the node: what follows on it is no HTTP.
func (s *Server) guest(w http.ResponseWriter, r *http.Request) error {
	if !strings.EqualFold(r.Header.Get("Upgrade"), GuestProtocol) {
		w.Header().Set("Upgrade", GuestProtocol)
		return &Error{http.StatusUpgradeRequired, "this path is for guests", ReasonBadRequest, "send Connection: Upgrade and Upgrade: " + GuestProtocol}
	}
	c := http.NewResponseController(w)
	s.hosting.Add(1)
	defer s.hosting.Done()
	select {
	case s.visitors <- struct{}{}:
		defer func() { <-s.visitors }()
	default:
		return &Error{http.StatusTooManyRequests, "too many guests are here already", ReasonBusy, "end some"}
	}
	conn, buffered, err := c.Hijack()
	if err != nil {
		return badRequest("this connection cannot be upgraded")
	}
	defer conn.Close()
	if buffered.Reader.Buffered() > 0 {
		return nil // it did not wait for the answer: what it wants is not clear
	}
	_ = conn.SetDeadline(time.Time{})
	const switching = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: " + GuestProtocol + "\r\n\r\n"
	if _, err := io.WriteString(conn, switching); err != nil {
		return nil
	}
	// net/http ends the context of a hijacked request with the server's.
	if err := s.jobs.Guest(r.Context(), conn); err != nil && r.Context().Err() == nil {
		s.log.Info("a guest was sent away", "err", err)
	}
	return nil
}
