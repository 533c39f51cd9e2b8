package doctor

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/net/ipv4"
)

// packetTimeout is how long a packet to this machine itself may take.
const packetTimeout = time.Second

// checkPorts tries whether a node could listen where it would.
func checkPorts(listen []string) Finding {
	if len(listen) == 0 {
		return Finding{"port", Skipped, "there is nowhere to listen", ""}
	}
	for _, l := range listen {
		if err := canListen(l); err != nil {
			do := "choose another with --listen"
			if errors.Is(err, syscall.EADDRINUSE) {
				do = "something listens there: a node picks another port by itself, or choose one with --listen"
			}
			return Finding{"port", Warning, fmt.Sprintf("%s: %v", l, err), do}
		}
	}
	return Finding{"port", OK, "free, on UDP and TCP: " + strings.Join(listen, " "), ""}
}

func canListen(hostPort string) error {
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

// checkUDP sends a datagram from each of this machine's addresses to itself. A firewall
// of this machine that drops UDP shows; one elsewhere does not.
func checkUDP() Finding {
	addrs, err := ownAddrs()
	if err != nil {
		return Finding{"udp", Skipped, err.Error(), ""}
	}
	var blocked []string
	for _, a := range addrs {
		if err := loop(a); err != nil {
			blocked = append(blocked, fmt.Sprintf("%s: %v", a, err))
		}
	}
	if len(blocked) > 0 {
		return Finding{"udp", Wrong, "datagrams to this machine itself do not arrive at " + strings.Join(blocked, ", "), "allow UDP in this machine's firewall; until then the node uses TCP, which costs more"}
	}
	return Finding{"udp", OK, fmt.Sprintf("not blocked on this machine (%d addresses tried)", len(addrs)), ""}
}

// ownAddrs are addresses of this machine, at most some: a machine with hundreds needs
// no proof for each.
func ownAddrs() ([]netip.Addr, error) {
	const most = 8
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil, err
	}
	var addrs []netip.Addr
	for _, a := range all {
		p, err := netip.ParsePrefix(a.String())
		if err == nil && !p.Addr().IsLinkLocalUnicast() && len(addrs) < most {
			addrs = append(addrs, p.Addr().Unmap())
		}
	}
	return addrs, nil
}

// loop sends a datagram from addr to addr and waits for it.
func loop(addr netip.Addr) error {
	to, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(addr, 0)))
	if err != nil {
		return err
	}
	defer to.Close()
	from, err := net.DialUDP("udp", nil, to.LocalAddr().(*net.UDPAddr))
	if err != nil {
		return err
	}
	defer from.Close()
	return exchange(from, to, from.Write)
}

// exchange has send write a datagram and waits until it arrives at to.
func exchange(from, to net.Conn, send func([]byte) (int, error)) error {
	token := []byte("filch doctor " + rand.Text())
	if err := errors.Join(from.SetDeadline(time.Now().Add(packetTimeout)), to.SetDeadline(time.Now().Add(packetTimeout))); err != nil {
		return err
	}
	if _, err := send(token); err != nil {
		return err
	}
	buffer := make([]byte, 1<<11)
	for {
		n, err := to.Read(buffer)
		if err != nil {
			return errors.New("it does not arrive")
		}
		if slices.Equal(buffer[:n], token) {
			return nil
		}
	}
}

// mdnsGroup is where mDNS is spoken. The check uses another port than mDNS does, so that it
// disturbs nobody.
var mdnsGroup = net.IPv4(224, 0, 0, 251)

// checkMulticast sends a packet to mDNS's group, and listens whether it comes back to this
// machine.
func checkMulticast() Finding {
	interfaces, err := net.Interfaces()
	if err != nil {
		return Finding{"mdns", Skipped, err.Error(), ""}
	}
	var good, bad []string
	for _, i := range interfaces {
		if i.Flags&net.FlagUp == 0 || i.Flags&net.FlagMulticast == 0 || i.Flags&net.FlagLoopback != 0 {
			continue
		}
		if !hasIPv4(i) {
			continue
		}
		if err := multicast(i); err != nil {
			bad = append(bad, fmt.Sprintf("%s (%v)", i.Name, err))
		} else {
			good = append(good, i.Name)
		}
	}
	return judgeMulticast(good, bad)
}

func judgeMulticast(good, bad []string) Finding {
	const do = "allow UDP to 224.0.0.251 port 5353; or join with addresses, which needs no mDNS, and start with --no-mdns"
	switch {
	case len(good) == 0 && len(bad) == 0:
		return Finding{"mdns", Warning, "no interface of this machine can multicast: nodes of the local network are not found by themselves", "join with addresses: filch up --join-file"}
	case len(good) == 0:
		return Finding{"mdns", Wrong, "multicast does not work on " + strings.Join(bad, ", "), do}
	case len(bad) > 0:
		return Finding{"mdns", Warning, "multicast works on " + strings.Join(good, ", ") + " and not on " + strings.Join(bad, ", "), do}
	}
	return Finding{"mdns", OK, "multicast works on " + strings.Join(good, ", "), ""}
}

func hasIPv4(i net.Interface) bool {
	addrs, _ := i.Addrs()
	return slices.ContainsFunc(addrs, func(a net.Addr) bool {
		p, err := netip.ParsePrefix(a.String())
		return err == nil && p.Addr().Unmap().Is4()
	})
}

// multicast sends to the group through an interface and waits for the packet.
func multicast(i net.Interface) error {
	to, err := net.ListenMulticastUDP("udp4", &i, &net.UDPAddr{IP: mdnsGroup, Port: 0})
	if err != nil {
		return err
	}
	defer to.Close()
	port := to.LocalAddr().(*net.UDPAddr).Port
	from, err := net.ListenUDP("udp4", &net.UDPAddr{IP: firstIPv4(i)})
	if err != nil {
		return err
	}
	defer from.Close()
	if err := through(from, i); err != nil {
		return err
	}
	return exchange(from, to, func(b []byte) (int, error) {
		return from.WriteToUDP(b, &net.UDPAddr{IP: mdnsGroup, Port: port})
	})
}

func firstIPv4(i net.Interface) net.IP {
	addrs, _ := i.Addrs()
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil {
			return n.IP
		}
	}
	return nil
}

// through has c send multicast through an interface, and hear what it sent.
func through(c *net.UDPConn, i net.Interface) error {
	p := ipv4.NewPacketConn(c)
	return errors.Join(p.SetMulticastInterface(&i), p.SetMulticastLoopback(true))
}
