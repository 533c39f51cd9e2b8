package control

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// brief is a node whose stream of events ends, and which can be left often.
type brief struct{ fake }

func (brief) Leave(context.Context, time.Duration) error { return nil }
func (brief) Wait(context.Context, string) (Job, error)  { return Job{}, nil }
func (brief) Watch(context.Context) iter.Seq[Event] {
	return func(yield func(Event) bool) { yield(Event{Kind: EventSynced}) }
}

// FuzzRequests: whatever is asked, the answer is one of the documented ones, an error is JSON
// with a reason, and nobody without the token gets anything.
func FuzzRequests(f *testing.F) {
	f.Add("GET", "/v1/nodes", "output=json", "", "127.0.0.1", "")
	f.Add("POST", "/v1/leave", "", `{"force":true}`, "localhost", "http://elsewhere")
	f.Add("GET", "/v1/watch", "since=1", "", "[::1]:80", "")
	f.Add("POST", "/v1/leave", "", strings.Repeat("x", maxBody+1), "127.0.0.1", "")
	f.Add("PUT", "//v1/../metrics", "%zz", strings.Repeat("x", maxBody+1), "evil.example", "null")
	f.Add("POST", "/v1/jobs", "", `{"commands":[{"argv":["true"]}],"nice":3}`, "127.0.0.1", "")
	f.Add("POST", "/v1/jobs", "", `{"commands":[{"line":1}]}`, "127.0.0.1", "")
	f.Add("GET", "/v1/jobs/n/1.1", "from=1&limit=2", "", "127.0.0.1", "")
	f.Add("POST", "/v1/jobs/n/1.1/wait", "timeout=0.1", "", "127.0.0.1", "")
	f.Add("GET", "/v1/explain", "job=1.1&task=0", "", "127.0.0.1", "")
	f.Add("POST", "/v1/decide", "", `{"command":{"argv":["true"]},"zones":["a"],"energy":1}`, "127.0.0.1", "")
	f.Add("POST", "/v1/guest", "", "", "127.0.0.1", "")
	const token = "0123456789abcdef"
	reasons := []string{"not_found", "method_not_allowed", "bad_request", "too_large", "unauthorized", "forbidden", "busy", "solo", "leaving", "internal"}
	server := NewServer(brief{}, nil)
	open, guarded := server.Handler(nil), server.Handler(NewGuard(token))
	f.Fuzz(func(t *testing.T, method, path, query, body, host, origin string) {
		ask := func(h http.Handler, authorization string) *http.Response {
			r := httptest.NewRequest("GET", "/", strings.NewReader(body))
			r.Method, r.Host, r.URL = method, host, &url.URL{Path: path, RawQuery: query}
			r.Header.Set("Origin", origin)
			r.Header.Set("Authorization", authorization)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			answer := w.Result()
			if answer.StatusCode < 300 {
				return answer
			}
			var e struct{ Error, Reason string }
			if err := json.NewDecoder(answer.Body).Decode(&e); method != http.MethodHead && (err != nil || e.Error == "" || !slices.Contains(reasons, e.Reason)) {
				t.Errorf("%q %q: %d, %+v, %v", method, path, answer.StatusCode, e, err)
			}
			if answer.StatusCode >= 500 && e.Reason != "solo" {
				t.Errorf("%q %q: %d, %+v", method, path, answer.StatusCode, e)
			}
			return answer
		}
		if s := ask(open, "").StatusCode; s < 300 && len(body) > maxBody && path != "/v1/jobs" {
			t.Errorf("%q %q: a body of %d bytes is taken", method, path, len(body))
		}
		if s := ask(guarded, "Bearer "+token[1:]).StatusCode; s < 400 {
			t.Errorf("%q %q: %d without the token", method, path, s)
		}
		ask(guarded, "Bearer "+token)
	})
}
