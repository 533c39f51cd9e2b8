package node

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/filchsched/filch/gossip/host"
)

// DefaultPort is where "filch up" listens unless it is told otherwise, on UDP and TCP.
const DefaultPort = host.DefaultPort

// innerInterfaces begin the names of interfaces behind which there are only this machine's
// own containers and virtual machines. Their addresses are the same on every machine that
// runs the same software, so announcing them sends others astray.
var innerInterfaces = []string{"docker", "br-", "veth", "virbr", "cni", "flannel", "podman", "lxcbr", "lxdbr"}

// carrierGrade is what some providers, and overlay networks like Tailscale, use for
// addresses that the Internet does not route.
var carrierGrade = netip.MustParsePrefix("100.64.0.0/10")

// PrivateListen returns HOST:PORT for each address of this machine that the Internet does
// not route: where a node may listen that was not told where. Where there are none, it is
// the loopback address.
func PrivateListen(port int) ([]string, error) {
	interfaces, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("the addresses of this machine: %w", err)
	}
	var addrs []netip.Addr
	for _, i := range interfaces {
		if i.Flags&net.FlagUp == 0 || inner(i.Name) {
			continue
		}
		of, err := i.Addrs()
		if err != nil {
			continue // it has just gone
		}
		for _, a := range of {
			if p, err := netip.ParsePrefix(a.String()); err == nil {
				addrs = append(addrs, p.Addr().Unmap())
			}
		}
	}
	return listenOn(addrs, port), nil
}

func inner(name string) bool {
	return slices.ContainsFunc(innerInterfaces, func(p string) bool { return strings.HasPrefix(name, p) })
}

// listenOn chooses among addresses.
func listenOn(addrs []netip.Addr, port int) (listen []string) {
	for _, a := range addrs {
		if (a.IsPrivate() || carrierGrade.Contains(a)) && len(listen) < maxListen {
			listen = append(listen, netip.AddrPortFrom(a, uint16(port)).String())
		}
	}
	if len(listen) == 0 {
		listen = []string{net.JoinHostPort("127.0.0.1", strconv.Itoa(port))}
	}
	return listen
}

// CanListen returns why no node can listen at a HOST:PORT, on UDP and TCP; nil if one can.
func CanListen(hostPort string) error {
	t, err := net.Listen("tcp", hostPort)
	if err != nil {
		return err
	}
	defer t.Close()
	u, err := net.ListenPacket("udp", t.Addr().String())
	if err != nil {
		return err
	}
	return u.Close()
}
