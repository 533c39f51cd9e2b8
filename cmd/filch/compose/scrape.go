package compose

import (
	_ "embed"
	"fmt"
	"strings"
)

// Dashboard is Grafana's dashboard of a testbed, in JSON.
//
//go:embed metrics/dashboard.json
var Dashboard []byte

// Scrape is Prometheus' configuration: each node's control API, asked by the node's name, with the token. The plan has
// been checked.
func (p *Plan) Scrape() []byte {
	var b strings.Builder
	b.WriteString(header)
	b.WriteString(`global:
  scrape_interval: 2s
scrape_configs:
  - job_name: filch
    authorization: {credentials_file: /run/secrets/token}
    static_configs:
`)
	for _, n := range p.Nodes() {
		fmt.Fprintf(&b, "      - targets: [\"%s:%d\"]\n        labels: {node: %[1]s, rack: %[3]s, zone: %[4]s}\n", n.Name, controlPort, n.RackName, n.Zone)
	}
	return []byte(b.String())
}

// dataSource is where Grafana finds Prometheus.
const dataSource = header + `apiVersion: 1
datasources:
  - name: testbed
    uid: testbed
    type: prometheus
    url: http://prometheus:9090
    isDefault: true
`

// dashboards is where Grafana finds the dashboard.
const dashboards = header + `apiVersion: 1
providers:
  - name: filch
    type: file
    options: {path: /etc/grafana/provisioning/dashboards}
`
