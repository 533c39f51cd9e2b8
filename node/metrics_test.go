//go:build unix

package node

import (
	"bytes"
	"context"
	"maps"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// A sample is one line of a scrape, or a histogram: value is how many there were.
type sample struct {
	labels     map[string]string
	value, sum float64
	first      uint64 // in the smallest bucket
}

// metricsOf scrapes a node.
func metricsOf(t *testing.T, n *Node) map[string][]sample {
	t.Helper()
	const token = "0123456789abcdef"
	r := httptest.NewRequest("GET", "/metrics", nil)
	r.Host = "127.0.0.1"
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	n.Handler(token).ServeHTTP(w, r)
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(w.Body.Bytes()))
	if err != nil {
		t.Fatalf("%v\n%s", err, w.Body)
	}
	all := make(map[string][]sample)
	for name, f := range families {
		for _, m := range f.GetMetric() {
			s := sample{labels: make(map[string]string), value: m.GetCounter().GetValue() + m.GetGauge().GetValue()}
			for _, l := range m.GetLabel() {
				s.labels[l.GetName()] = l.GetValue()
			}
			if h := m.GetHistogram(); h != nil {
				s.value, s.sum, s.first = float64(h.GetSampleCount()), h.GetSampleSum(), h.GetBucket()[0].GetCumulativeCount()
			}
			all[name] = append(all[name], s)
		}
	}
	return all
}

// sumOf adds up the samples whose labels have the values.
func sumOf(samples []sample, values ...string) (sum float64) {
	for _, s := range samples {
		have := slices.Collect(maps.Values(s.labels))
		if !slices.ContainsFunc(values, func(v string) bool { return !slices.Contains(have, v) }) {
			sum += s.value
		}
	}
	return sum
}

// TestEveryMetricIsDocumented in docs/metrics.md, with its labels, and what is documented is there.
func TestEveryMetricIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := make(map[string]string)
	for _, m := range regexp.MustCompile("`(filch_[a-z_]+)(\\{[a-z,]+\\})?`").FindAllStringSubmatch(string(page), -1) {
		documented[m[1]] = strings.Trim(m[2], "{}")
	}
	delete(documented, "filch_journal_fsync_seconds") // is said to be missing
	nodes := cluster(t, withSquare(1), withSquare(1))
	families := metricsOf(t, nodes[0])
	for name, f := range families {
		if !strings.HasPrefix(name, "filch_") {
			continue
		}
		labels, ok := documented[name]
		if !ok {
			t.Errorf("%s is not documented", name)
			continue
		}
		want := strings.FieldsFunc(labels, func(r rune) bool { return r == ',' })
		slices.Sort(want)
		if have := slices.Sorted(maps.Keys(f[0].labels)); !slices.Equal(have, want) {
			t.Errorf("%s has the labels %v, documented are %v", name, have, want)
		}
	}
	for name := range documented {
		if families[name] == nil {
			t.Errorf("there is no %s", name)
		}
	}
}

// TestMetricsMove with the work of two nodes, each by what happened there.
func TestMetricsMove(t *testing.T) {
	nodes := cluster(t, withSquare(1), withSquare(1))
	const tasks = 90
	j, err := nodes[0].SubmitCalls(context.Background(), squares(tasks, 5*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	hosts := checkSquares(t, j, tasks)
	home, thief := metricsOf(t, nodes[0]), metricsOf(t, nodes[1])
	given := float64(hosts[nodes[1].ID()])
	if given == 0 {
		t.Fatal("nothing was stolen")
	}
	for _, c := range []struct {
		name   string
		f      map[string][]sample
		labels []string
		least  float64
		exact  bool
	}{
		{"filch_tasks_total", home, []string{"func", "done"}, tasks, true},
		{"filch_queue_tasks", home, nil, 0, true},
		{"filch_queue_wait_seconds", home, []string{"func"}, tasks - given, true},
		{"filch_task_duration_seconds", home, []string{"func"}, tasks - given, true},
		{"filch_queue_wait_seconds", thief, []string{"func"}, given, true},
		{"filch_task_duration_seconds", thief, []string{"func"}, given, true},
		{"filch_task_duration_seconds", thief, []string{"proc"}, 0, true},
		{"filch_steal_rtt_seconds", thief, nil, 1, false},
		{"filch_decisions_total", home, []string{"here"}, tasks - given, true},
		{"filch_decisions_total", home, nil, tasks, false}, // what comes back counts again
		{"filch_steals_total", home, []string{"host", "given"}, given, true},
		{"filch_steals_total", thief, []string{"host", "ran"}, given, true},
		{"filch_stolen_tasks_total", thief, nil, given, false},
		{"filch_executed_tasks_total", thief, []string{"func", "done"}, given, true},
		{"filch_transfer_bytes_total", home, []string{"out"}, given, false},
	} {
		if got := sumOf(c.f[c.name], c.labels...); c.f[c.name] == nil || got < c.least || c.exact && got != c.least {
			t.Errorf("%s%v is %v, not %v", c.name, c.labels, got, c.least)
		}
	}
	for _, h := range home["filch_task_duration_seconds"] {
		if h.value > 0 && (h.sum < h.value*0.005 || h.first > 0) {
			t.Errorf("5 ms each: %+v", h)
		}
	}
}
