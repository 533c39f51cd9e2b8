//go:build linux

package spaces

import (
	"fmt"
	"testing"
)

// A Site is a router with a bridge behind it. What the router is connected to is up to others.
type Site struct {
	Router string // its namespace
	Net    string // the first three bytes of the addresses behind it; the router is .1
}

// AddSite makes a site whose router is connected to nothing yet.
func AddSite(t *testing.T, router, net string) Site {
	t.Helper()
	Run(t, "ip netns add "+router)
	In(t, router, "ip link set lo up")
	s := Site{router, net}
	s.bridge(t)
	return s
}

// bridge makes what hosts are plugged into.
func (s Site) bridge(t *testing.T) {
	t.Helper()
	In(t, s.Router, "ip link add in0 type bridge")
	In(t, s.Router, "ip addr add "+s.Net+".1/24 dev in0")
	In(t, s.Router, "ip link set in0 up")
	In(t, s.Router, "sysctl -q -w net.ipv4.ip_forward=1")
}

// Add makes a namespace at an address behind the router.
func (s Site) Add(t *testing.T, name, addr string) {
	t.Helper()
	Run(t, "ip netns add "+name)
	Run(t, fmt.Sprintf("ip link add v-%s netns %s type veth peer name eth0 netns %[1]s", name, s.Router))
	In(t, s.Router, "ip link set v-"+name+" master in0 up")
	In(t, name, "ip link set lo up")
	In(t, name, "ip addr add "+addr+"/24 dev eth0")
	In(t, name, "ip link set eth0 up")
	In(t, name, "ip route add default via "+s.Net+".1")
}
