package control

import (
	"net"
	"slices"
	"strings"
)

// HostPorts returns multiaddrs of a node as HOST:PORT, each once: of
// /ip4/10.0.0.1/udp/7447/quic-v1 it is 10.0.0.1:7447. What has no such form is left out.
func HostPorts(addrs []string) []string {
	all := []string{}
	for _, a := range addrs {
		part := strings.Split(a, "/")
		const host, port = 2, 4 // of "", ip4, HOST, udp, PORT
		if len(part) > port && (part[port-1] == "udp" || part[port-1] == "tcp") {
			all = append(all, net.JoinHostPort(part[host], part[port]))
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
