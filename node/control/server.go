package control

import (
	"context"
	"errors"
	"io"
	"iter"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/netutil"
)

// A Backend is the node behind the API. All methods may be called concurrently. Their
// errors are told to the client: an *Error as it is, others as internal ones.
type Backend interface {
	Node(context.Context) (Node, error)
	Members(context.Context) ([]Member, error)
	// Leave says goodbye to the cluster and returns when that is out; the node ends
	// afterwards, by itself. within bounds it; 0: as the node is configured.
	Leave(ctx context.Context, within time.Duration) error
	JoinString(context.Context) (JoinString, error)
	// Watch yields what there is and then what changes, until ctx ends or the watcher
	// falls behind; the last event then is EventLost.
	Watch(context.Context) iter.Seq[Event]
	// Metrics serves Prometheus' format.
	Metrics() http.Handler
	JobBackend
}

// Limits of the server. A node's clients are few and near; these only keep one that is
// broken from doing harm.
const (
	maxHeader      = 16 << 10         // bytes of a request's headers
	maxBody        = 64 << 10         // bytes of a request's body; a job may have maxSubmission
	maxConnections = 256              // at once, guests included; more wait in the kernel's queue
	maxWatchers    = 32               // of those, so that others get through
	readTimeout    = 10 * time.Second // for a whole request to arrive
	writeTimeout   = 30 * time.Second // for an answer to be taken; for each event of a watcher
	idleTimeout    = time.Minute      // for the next request on a connection
	maxLeave       = 30 * 24 * time.Hour
)

// A Server answers the API for one node.
type Server struct {
	backend  Backend
	jobs     JobBackend // the same
	log      *slog.Logger
	watchers chan struct{}  // holds a token for each watcher there is
	visitors chan struct{}  // and for each guest
	hosting  sync.WaitGroup // for guests' requests, which the HTTP server lets go of
}

// NewServer returns a server without a listener; see Serve and Handler. A nil log
// discards.
func NewServer(b Backend, log *slog.Logger) *Server {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Server{backend: b, jobs: b, log: log, watchers: make(chan struct{}, maxWatchers), visitors: make(chan struct{}, maxGuests)}
}

// Serve answers on l until ctx ends, and returns when every request has been answered or
// a moment has passed. The listener is the server's, and closed when it returns. With a
// guard, every request has to pass it; nil is for a Unix socket, whose permissions guard.
func (s *Server) Serve(ctx context.Context, l net.Listener, g *Guard) error {
	base, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel() // watchers and guests end
	h := &http.Server{
		Handler:           s.Handler(g),
		ReadHeaderTimeout: readTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
		BaseContext:       func(net.Listener) context.Context { return base },
	}
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		cancel()
		// An answer that is under way, the one to leave above all, gets out.
		const moment = 2 * time.Second
		over, done := context.WithTimeout(context.Background(), moment)
		defer done()
		if h.Shutdown(over) != nil {
			h.Close()
		}
	})
	defer s.hosting.Wait()
	err := h.Serve(netutil.LimitListener(l, maxConnections))
	if stop() {
		h.Close()
		cancel()
		return err // the listener broke
	}
	<-stopped
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// Handler answers requests that have come by another way. See Serve for the guard.
func (s *Server) Handler(g *Guard) http.Handler {
	routes := map[string]route{
		"/":                            {http.MethodGet, s.index},
		"/" + Version + "/node":        {http.MethodGet, s.node},
		"/" + Version + "/nodes":       {http.MethodGet, s.nodes},
		"/" + Version + "/join-string": {http.MethodGet, s.joinString},
		"/" + Version + "/leave":       {http.MethodPost, s.leave},
		"/" + Version + "/watch":       {http.MethodGet, s.watch},
		"/" + Version + "/explain":     {http.MethodGet, s.explain},
		"/" + Version + "/decide":      {http.MethodPost, s.decide},
		"/" + Version + "/steals":      {http.MethodGet, s.steals},
		"/" + Version + "/runs":        {http.MethodGet, s.runs},
		"/metrics":                     {http.MethodGet, s.metrics},
	}
	if g == nil { // a guest's connection is as good as the socket's permissions
		routes["/"+Version+"/guest"] = route{http.MethodPost, s.guest}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Filch-Api", Version)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-store")
		if g != nil {
			if err := g.check(r); err != nil {
				s.refuse(w, r, err)
				return
			}
		}
		to, ok := routes[r.URL.Path]
		if !ok {
			to, ok = s.jobRoute(r)
		}
		if own := s.readsBody(r); own != nil {
			if err := own(w, r); err != nil {
				s.refuse(w, r, err)
			}
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		switch {
		case !ok:
			s.refuse(w, r, &Error{http.StatusNotFound, "there is no " + clip(r.URL.Path), ReasonNotFound, "GET / lists what there is; another version of filch may have more"})
		case r.Method != to.method && !(to.method == http.MethodGet && r.Method == http.MethodHead):
			w.Header().Set("Allow", to.method)
			s.refuse(w, r, &Error{http.StatusMethodNotAllowed, clip(r.Method) + " is not for " + r.URL.Path, ReasonMethod, "use " + to.method})
		default:
			if _, err := io.Copy(io.Discard, r.Body); err != nil {
				s.refuse(w, r, tooLarge())
				return
			}
			if err := to.serve(w, r); err != nil {
				s.refuse(w, r, err)
			}
		}
	})
}

// readsBody is what answers a request that has a body to be read.
func (s *Server) readsBody(r *http.Request) func(http.ResponseWriter, *http.Request) error {
	switch r.Method + " " + r.URL.Path {
	case "POST /" + Version + "/jobs":
		return s.submit
	case "POST /" + Version + "/decide":
		return s.decide
	}
	return nil
}

type route struct {
	method string
	serve  func(http.ResponseWriter, *http.Request) error
}

// jobRoute is the route of a path below /v1/jobs.
func (s *Server) jobRoute(r *http.Request) (route, bool) {
	if r.URL.Path == "/"+Version+"/jobs" {
		return route{http.MethodGet, s.listJobs}, true
	}
	if !strings.HasPrefix(r.URL.Path, "/"+Version+"/jobs/") {
		return route{}, false
	}
	switch id, verb := jobPath(r); {
	case id == "":
		return route{}, false
	case verb == "wait", verb == "cancel":
		return route{http.MethodPost, s.job}, true
	}
	return route{http.MethodGet, s.job}, true
}

// clip bounds what an answer repeats of a request.
func clip(s string) string {
	const most = 100
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}

// refuse answers with an error.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, err error) {
	var e *Error
	if !errors.As(err, &e) {
		e = &Error{http.StatusInternalServerError, err.Error(), ReasonInternal, ""}
		s.log.Warn("control request failed", "path", clip(r.URL.Path), "err", err)
	}
	b, _ := marshal(e)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(e.Status)
	w.Write(b)
}

// answer writes v as the answer.
func answer(w http.ResponseWriter, v any, err error) error {
	if err != nil {
		return err
	}
	b, err := marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(b) // whoever went away needs no answer
	return nil
}

func (s *Server) index(w http.ResponseWriter, _ *http.Request) error {
	return answer(w, map[string][]string{
		"versions": {Version},
		"paths": {
			"GET /v1/node", "GET /v1/nodes", "GET /v1/join-string", "POST /v1/leave", "GET /v1/watch", "GET /metrics",
			"POST /v1/jobs", "GET /v1/jobs", "GET /v1/jobs/ID", "POST /v1/jobs/ID/wait", "POST /v1/jobs/ID/cancel", "GET /v1/jobs/ID/output",
			"GET /v1/explain", "POST /v1/decide", "GET /v1/steals", "GET /v1/runs", "POST /v1/guest",
		},
	}, nil)
}

func (s *Server) node(w http.ResponseWriter, r *http.Request) error {
	n, err := s.backend.Node(r.Context())
	return answer(w, n, err)
}

func (s *Server) nodes(w http.ResponseWriter, r *http.Request) error {
	m, err := s.backend.Members(r.Context())
	return answer(w, Members{Nodes: m}, err)
}

func (s *Server) joinString(w http.ResponseWriter, r *http.Request) error {
	j, err := s.backend.JoinString(r.Context())
	return answer(w, j, err)
}

func (s *Server) leave(w http.ResponseWriter, r *http.Request) error {
	within, err := seconds(r.URL.Query(), "timeout", 0, maxLeave)
	if err != nil {
		return err
	}
	// Who asked may go away; the goodbye is said all the same. The node bounds how long it takes,
	// and what runs there may have been given hours.
	done := patient(w)
	err = s.backend.Leave(context.WithoutCancel(r.Context()), within)
	done()
	return answer(w, Left{Left: true}, err)
}

// patient is for an answer that takes its time to begin: done gives it as much as any other to be taken.
func patient(w http.ResponseWriter) (done func()) {
	c := http.NewResponseController(w)
	_ = c.SetWriteDeadline(time.Time{})
	return func() { _ = c.SetWriteDeadline(time.Now().Add(writeTimeout)) }
}

func (s *Server) metrics(w http.ResponseWriter, r *http.Request) error {
	s.backend.Metrics().ServeHTTP(w, r)
	return nil
}

// watch streams events, a line of JSON each, for as long as the client takes them.
func (s *Server) watch(w http.ResponseWriter, r *http.Request) error {
	select {
	case s.watchers <- struct{}{}:
		defer func() { <-s.watchers }()
	default:
		return &Error{http.StatusTooManyRequests, "too many are watching already", ReasonBusy, "end some, or ask /v1/nodes now and then"}
	}
	c := http.NewResponseController(w)
	_ = c.SetReadDeadline(time.Time{})
	w.Header().Set("Content-Type", "application/x-ndjson")
	if r.Method == http.MethodHead {
		return nil
	}
	for e := range s.backend.Watch(r.Context()) {
		b, err := marshal(e)
		if err != nil {
			return nil
		}
		_ = c.SetWriteDeadline(time.Now().Add(writeTimeout))
		if _, err := w.Write(b); err != nil {
			return nil
		}
		if c.Flush() != nil {
			return nil
		}
	}
	return nil
}
