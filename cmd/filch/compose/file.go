package compose

import (
	"fmt"
	"strconv"
	"strings"
)

// header is how a file of ours begins: what begins otherwise is not written over.
const header = "# Written by \"filch testbed\". A change here is lost with the next one.\n"

// Shared is where the nodes have the directory that all of them share.
const Shared = "/files"

// MetricsProfile is the profile in which Prometheus and Grafana are.
const MetricsProfile = "metrics"

// Images of the profile. They are pulled by whoever starts it.
const (
	prometheusImage = "prom/prometheus:v2.53.2"
	grafanaImage    = "grafana/grafana:11.1.4"
)

// common is what all nodes have: no right that they do not need, and time to say goodbye, which
// takes ten seconds at most.
const common = `x-node: &node
  image: %[1]s
  user: "%[2]s"
  init: true
  cap_drop: [ALL]
  security_opt: ["no-new-privileges:true"]
  stop_grace_period: 15s
  environment:
    FILCH_JOIN_FILE: /run/secrets/join
    FILCH_ACCEPT: exec
    FILCH_CONTROL_LISTEN: 0.0.0.0:%[3]d
  env_file: [token.env]
  secrets: [join]
  working_dir: %[4]s
  volumes: ["./files:%[4]s"]
  healthcheck:
    test: [CMD, filch, nodes]
    interval: 15s
    timeout: 10s
    retries: 3
    start_period: 20s
  logging:
    driver: json-file
    options: {max-size: 4m, max-file: "2"}

`

// File is the compose file. It has no version, which version 2 calls obsolete and version 1 can do without from 1.27
// on. The plan has been checked.
func (p *Plan) File() []byte {
	var b strings.Builder
	b.WriteString(header)
	fmt.Fprintf(&b, common, p.Project, p.User, controlPort, Shared)
	b.WriteString("services:\n")
	for _, n := range p.Nodes() {
		p.service(&b, &n)
	}
	p.metrics(&b)
	b.WriteString("networks:\n")
	for r := 1; r <= p.Racks; r++ {
		p.netOf(&b, fmt.Sprint("rack", r), r)
	}
	p.netOf(&b, backbone, backboneByte)
	fmt.Fprintf(&b, "  outside:\n    name: %s_outside\n\n", p.Project)
	b.WriteString("secrets:\n  join: {file: ./join}\n  token: {file: ./token}\n")
	return []byte(b.String())
}

func (p *Plan) service(b *strings.Builder, n *Node) {
	fmt.Fprintf(b, "  %s:\n    <<: *node\n", n.Name)
	if n.number == 1 {
		b.WriteString("    build: .\n") // once: all have one image
	}
	fmt.Fprintf(b, "    container_name: %s\n    hostname: %s\n    cpus: %s\n", n.Container, n.Name, cores(n.CPUs))
	start := []string{"up"}
	if len(p.Program) > 0 {
		fmt.Fprintf(b, "    entrypoint: [%s]\n    stdin_open: true\n", quoted(p.Program[:1]))
		start = append(p.Program[1:len(p.Program):len(p.Program)], "--data-dir", dataDir)
	}
	start = append(start, "--name", n.Name, "--listen", fmt.Sprint("0.0.0.0:", nodePort),
		"--label", "host="+n.Name, "--label", "rack="+n.RackName, "--label", "zone="+n.Zone)
	fmt.Fprintf(b, "    command: [%s]\n", quoted(start))
	fmt.Fprintf(b, "    networks:\n      %s: {ipv4_address: %s}\n      %s: {ipv4_address: %s}\n\n", n.rackNetInFile, n.RackAddr, backbone, n.BackboneAddr)
}

// netOf is a network from which nothing leaves the machine: its addresses are not translated. An internal network would
// say so more plainly, but the engine drops multicast there, by which nodes find each other.
func (p *Plan) netOf(b *strings.Builder, name string, third int) {
	fmt.Fprintf(b, "  %s:\n    name: %[2]s_%[1]s\n    driver_opts: {com.docker.network.bridge.enable_ip_masquerade: \"false\"}\n    ipam: {config: [{subnet: %[3]s}]}\n", name, p.Project, p.network(third))
}

// metrics are services of a profile of their own. What they publish is for this machine only.
func (p *Plan) metrics(b *strings.Builder) {
	fmt.Fprintf(b, `  prometheus:
    image: %s
    profiles: [%s]
    user: "%s"
    volumes:
      - ./metrics/prometheus.yml:/etc/prometheus/prometheus.yml:ro
    secrets: [token]
    networks: [backbone, outside]
    ports: ["127.0.0.1:9090:9090"]

  grafana:
    image: %s
    profiles: [%[2]s]
    environment:
      GF_AUTH_ANONYMOUS_ENABLED: "true"
      GF_ANALYTICS_REPORTING_ENABLED: "false"
    volumes:
      - ./metrics/grafana/datasources:/etc/grafana/provisioning/datasources:ro
      - ./metrics/grafana/dashboards:/etc/grafana/provisioning/dashboards:ro
    networks: [outside]
    ports: ["127.0.0.1:3000:3000"]

`, prometheusImage, MetricsProfile, p.User, grafanaImage)
}

// quoted writes a list's elements.
func quoted(words []string) string {
	q := make([]string, len(words))
	for i, w := range words {
		q[i] = strconv.Quote(w)
	}
	return strings.Join(q, ", ")
}
