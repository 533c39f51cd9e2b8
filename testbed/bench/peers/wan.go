package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A link is two network namespaces with a line between them that takes its time: two TUN devices, whose
// packets this process passes on. It needs root.
type link struct {
	spaces, addrs [2]string
}

// newLink makes a link with a delay for each way.
func newLink(delay time.Duration) (*link, error) {
	pid := os.Getpid()
	l := &link{spaces: [2]string{fmt.Sprintf("bench%da", pid), fmt.Sprintf("bench%db", pid)}, addrs: [2]string{"10.98.0.1", "10.98.0.2"}}
	var ends [2]*os.File
	for i, space := range l.spaces {
		dev := fmt.Sprintf("bt%d%c", pid, 'a'+i)
		f, err := openTUN(dev)
		if err != nil {
			return nil, fmt.Errorf("a TUN device: %w", err)
		}
		ends[i] = f
		for _, line := range []string{
			"ip netns add " + space,
			"ip link set " + dev + " netns " + space,
			"ip -n " + space + " addr add " + l.addrs[i] + "/24 dev " + dev,
			"ip -n " + space + " link set lo up",
			"ip -n " + space + " link set " + dev + " up mtu 1400",
		} {
			if err := sh(line); err != nil {
				l.close()
				return nil, err
			}
		}
	}
	go pump(ends[0], ends[1], delay)
	go pump(ends[1], ends[0], delay)
	return l, nil
}

// close removes the namespaces, and the devices with them.
func (l *link) close() {
	for _, space := range l.spaces {
		sh("ip netns del " + space)
	}
}

func sh(line string) error {
	words := strings.Fields(line)
	if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", line, err, out)
	}
	return nil
}

func openTUN(name string) (*os.File, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	req, err := unix.NewIfreq(name)
	if err != nil {
		return nil, err
	}
	req.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.TUNSETIFF, uintptr(unsafe.Pointer(req))); errno != 0 {
		return nil, errno
	}
	return os.NewFile(uintptr(fd), "/dev/net/tun"), nil
}

// pump passes packets on, each after the delay.
func pump(in, out *os.File, delay time.Duration) {
	type packet struct {
		at   time.Time
		data []byte
	}
	queue := make(chan packet, 4096)
	go func() {
		for p := range queue {
			time.Sleep(time.Until(p.at))
			out.Write(p.data)
		}
	}()
	buf := make([]byte, 64<<10)
	for {
		n, err := in.Read(buf)
		if errors.Is(err, os.ErrClosed) || n == 0 && err != nil {
			close(queue)
			return
		}
		select {
		case queue <- packet{time.Now().Add(delay), append([]byte(nil), buf[:n]...)}:
		default: // a full line drops
		}
	}
}
