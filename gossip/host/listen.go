package host

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"syscall"

	ma "github.com/multiformats/go-multiaddr"
)

// DefaultPort is the port of `filch up` unless it is told another.
const DefaultPort = 7447

// DefaultListen returns where a node listens that was not told: the addresses of
// this machine's interfaces that the internet cannot reach, as HOST:PORT, and
// loopback. Interfaces that appear later are not among them.
func DefaultListen(port int) ([]string, error) {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil, fmt.Errorf("looking for this machine's addresses: %w", err)
	}
	var ips []netip.Addr
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			ips = append(ips, p.Addr())
		}
	}
	return defaultListen(ips, port), nil
}

func defaultListen(ips []netip.Addr, port int) (listen []string) {
	for _, ip := range ips {
		if ip = ip.Unmap(); notPublic(ip) {
			listen = append(listen, netip.AddrPortFrom(ip, uint16(port)).String())
		}
	}
	return listen
}

var (
	carrierGrade = netip.MustParsePrefix("100.64.0.0/10") // RFC 6598; overlay networks use it, too
)

// notPublic tells whether an address is one that the internet cannot reach:
// private, carrier-grade, unique local, IPv4 link-local, loopback. IPv6 link-local
// addresses are left out: they mean nothing without the name of an interface,
// which differs from machine to machine.
func notPublic(ip netip.Addr) bool {
	switch {
	case !ip.IsValid(), ip.IsMulticast(), ip.IsUnspecified():
		return false
	case ip.Is6() && ip.IsLinkLocalUnicast():
		return false
	}
	return ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast() || carrierGrade.Contains(ip)
}

// maxListen bounds the addresses that a node listens on.
const maxListen = 64

// endpoint is one HOST:PORT to listen on; port 0 stands for one number that all
// such endpoints get.
type endpoint struct {
	ip   netip.Addr
	port uint16
	// optional ones may fail: the IPv6 half of ":7447" on a machine without IPv6.
	optional bool
}

// parseListen reads what the user wrote. An empty host stands for all addresses.
func parseListen(listen []string) (all []endpoint, err error) {
	for _, text := range listen {
		host, portText, err := net.SplitHostPort(text)
		if err != nil {
			return nil, fmt.Errorf("listening on %q: %w; write HOST:PORT, and an IPv6 address in brackets", text, err)
		}
		port, err := strconv.ParseUint(portText, 10, 16)
		if err != nil {
			return nil, fmt.Errorf("listening on %q: the port is a number from 0 to 65535", text)
		}
		ips, err := lookup(host)
		if err != nil {
			return nil, fmt.Errorf("listening on %q: %w", text, err)
		}
		for i, ip := range ips {
			all = append(all, endpoint{ip: ip, port: uint16(port), optional: i > 0})
		}
	}
	if len(all) > maxListen {
		return nil, fmt.Errorf("listening on %d addresses: at most %d are possible; 0.0.0.0 stands for all of IPv4", len(all), maxListen)
	}
	return all, nil
}

// lookup returns the addresses of a host to listen on.
func lookup(host string) ([]netip.Addr, error) {
	if host == "" || host == "*" {
		return []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()}, nil
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		if ip.Zone() != "" {
			return nil, errors.New("an address with a zone cannot be announced to others; use another address")
		}
		return []netip.Addr{ip.Unmap()}, nil
	}
	found, err := net.LookupIP(host)
	if err != nil {
		return nil, err
	}
	var ips []netip.Addr
	for _, f := range found {
		if ip, ok := netip.AddrFromSlice(f); ok {
			ips = append(ips, ip.Unmap())
		}
	}
	if len(ips) == 0 {
		return nil, fmt.Errorf("%s has no address", host)
	}
	return ips, nil
}

// multiaddrs returns the addresses for QUIC and TCP.
func (e endpoint) multiaddrs(port uint16) (quic, tcp ma.Multiaddr) {
	family := "ip4"
	if e.ip.Is6() {
		family = "ip6"
	}
	return ma.StringCast(fmt.Sprintf("/%s/%s/udp/%d/quic-v1", family, e.ip, port)),
		ma.StringCast(fmt.Sprintf("/%s/%s/tcp/%d", family, e.ip, port))
}

func (e endpoint) withPort(free uint16) uint16 {
	if e.port != 0 {
		return e.port
	}
	return free
}

// portTries is how often a port that is free on UDP is looked for until it is
// free on TCP and everywhere else, too.
const portTries = 32

// listen opens all endpoints, or none and says which could not be opened.
func (h *Host) listen(all []endpoint) error {
	picks := false
	for _, e := range all {
		picks = picks || e.port == 0
	}
	var err error
	for range portTries {
		free := uint16(0)
		if picks {
			if free, err = freePort(all); err != nil {
				return err
			}
		}
		if err = h.listenAt(all, free); err == nil || !picks || !errors.Is(err, syscall.EADDRINUSE) {
			return err
		}
	}
	return fmt.Errorf("no port is free on UDP and TCP at all addresses: %w", err)
}

// freePort asks the system for a UDP port at the first endpoint that wants one.
func freePort(all []endpoint) (uint16, error) {
	for _, e := range all {
		if e.port != 0 {
			continue
		}
		c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(e.ip, 0)))
		if err != nil {
			return 0, fmt.Errorf("listening on %s: %w", e.ip, err)
		}
		defer c.Close()
		return c.LocalAddr().(*net.UDPAddr).AddrPort().Port(), nil
	}
	return 0, nil
}

func (h *Host) listenAt(all []endpoint, free uint16) error {
	var opened []ma.Multiaddr
	for _, e := range all {
		port := e.withPort(free)
		quic, tcp := e.multiaddrs(port)
		for i, a := range []ma.Multiaddr{quic, tcp} {
			if i == 1 && h.cfg.quicOnly() || i == 0 && h.cfg.NoUDP {
				continue
			}
			err := h.swarm.AddListenAddr(a)
			if err != nil && e.optional && !errors.Is(err, syscall.EADDRINUSE) {
				h.log.Debug("not listening", "on", a, "error", err)
				continue
			}
			if err != nil {
				h.swarm.ListenClose(opened...)
				return listenError(e.ip, port, i == 0, err)
			}
			opened = append(opened, a)
		}
	}
	return nil
}

func listenError(ip netip.Addr, port uint16, udp bool, err error) error {
	network := "TCP"
	if udp {
		network = "UDP"
	}
	at := netip.AddrPortFrom(ip, port)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("listening on %s (%s): another program, perhaps another filch, has this port (ss -lp 'sport = :%d' names it); stop it, or listen on another port: %w", at, network, port, err)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("listening on %s (%s): this machine has no such address: %w", at, network, err)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("listening on %s (%s): ports below 1024 need privileges; listen on a higher one: %w", at, network, err)
	}
	return fmt.Errorf("listening on %s (%s): %w", at, network, err)
}
