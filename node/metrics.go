package node

import (
	"net/http"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/filchsched/filch/node/control"
	"github.com/filchsched/filch/steal/core"
)

// metricsInFlight bounds scrapes at once: each walks all members.
const metricsInFlight = 4

// scrapePatience bounds how long a scrape waits for the state machine.
const scrapePatience = 2 * time.Second

// Metrics implements control.Backend. Each call makes a handler with a registry of its
// own, which costs microseconds beside a scrape, so that a process with several nodes
// has no registry to share.
func (a api) Metrics() http.Handler {
	if err := a.up(); err != nil {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		})
	}
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), scrape(a))
	return promhttp.HandlerFor(r, promhttp.HandlerOpts{MaxRequestsInFlight: metricsInFlight})
}

// A scrape collects what a node can tell at one moment. There are no peer IDs among the
// labels: a cluster's churn would fill the database.
type scrape struct{ node *Node }

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("filch_"+name, help, labels, nil)
}

// Describe says nothing: which metrics there are depends on the node.
func (s scrape) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (s scrape) Collect(out chan<- prometheus.Metric) {
	m := measures{out}
	n := s.node
	m.gauge("build_info", "Constant 1; what this filch is.", 1, []string{"version", "go", "platform"}, version(), runtime.Version(), runtime.GOOS+"/"+runtime.GOARCH)
	m.gauge("workers", "Cores that are for tasks.", float64(n.cores()), nil)
	m.gauge("node_incarnation", "How often this node has started.", float64(n.self.incarnation), nil)
	m.gauge("joined", "1 once the node has reached a member, or had none to reach.", boolToFloat(n.joined.Load()), nil)
	states := map[string]int{control.StateAlive: 0, control.StateSuspect: 0, control.StateLeft: 0, control.StateFailed: 0}
	levels := map[string]int{}
	for _, member := range n.Members() {
		states[member.State]++
		if !member.Self && (member.State == control.StateAlive || member.State == control.StateSuspect) {
			levels[member.Level]++
		}
	}
	for state, count := range states {
		m.gauge("peers", "Members known, this node included, by state.", float64(count), []string{"state"}, state)
	}
	for level, count := range levels {
		m.gauge("peers_at_level", "Other members that are there, by how far away they are.", float64(count), []string{"level"}, level)
	}
	n.work.collect(n, m)
	if n.network != nil {
		n.network.collect(m)
	}
}

// measures writes metrics to a channel.
type measures struct{ out chan<- prometheus.Metric }

func (m measures) gauge(name, help string, v float64, labels []string, values ...string) {
	m.out <- prometheus.MustNewConstMetric(describe(name, help, labels...), prometheus.GaugeValue, v, values...)
}

func (m measures) counter(name, help string, v uint64, labels []string, values ...string) {
	m.out <- prometheus.MustNewConstMetric(describe(name, help, labels...), prometheus.CounterValue, float64(v), values...)
}

func (m measures) histogram(name, help string, h *core.Histogram, labels []string, values ...string) {
	buckets, sum := make(map[float64]uint64), uint64(0)
	for k, bound := range core.Bounds() {
		sum += h.Counts[k]
		buckets[bound.Seconds()] = sum
	}
	m.out <- prometheus.MustNewConstHistogram(describe(name, help, labels...), h.Count(), h.Sum.Seconds(), buckets, values...)
}

// collect tells what the cluster counted, and the wire if it counts.
func (n *network) collect(m measures) {
	s := n.cluster.Stats()
	c := s.Core
	m.counter("gossip_news_sent_total", "Datagrams of load news sent.", c.NewsSent, nil)
	m.counter("gossip_news_sent_bytes_total", "Bytes of load news sent, before sealing.", c.NewsSentBytes, nil)
	m.counter("gossip_news_received_total", "Datagrams of load news taken.", c.NewsReceived, nil)
	m.counter("gossip_records_taken_total", "Records of members fetched and believed.", c.RecordsTaken, nil)
	for reason, count := range map[string]uint64{
		"malformed": c.RefusedMalformed, "stranger": c.RefusedStranger, "forged": c.RefusedForged,
		"replay": c.RefusedReplay, "unsealed": s.NewsRefused,
	} {
		m.counter("gossip_news_refused_total", "Datagrams of load news refused, by reason.", count, []string{"reason"}, reason)
	}
	for reason, count := range map[string]uint64{
		"rolled_back": c.TagsRolledBack, "forked": c.TagsForked, "unbelieved": s.TagsRefused,
	} {
		m.counter("gossip_tags_refused_total", "Announcements refused, by reason.", count, []string{"reason"}, reason)
	}
	m.counter("gossip_records_refused_total", "Records without a certificate of this cluster for their owner.", s.RecordsRefused, nil)
	if w, ok := n.wire.(interface{ collect(measures) }); ok {
		w.collect(m)
	}
}

func boolToFloat(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
