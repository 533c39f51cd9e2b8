//go:build linux

package wan

import (
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// mtu leaves room for what a tunnel costs, and for QUIC's smallest packets of 1,200 bytes.
const mtu = 1400

// openTUN makes a network device whose packets are read from and written to the file. The
// device goes with it.
func openTUN(name string) (*os.File, error) {
	const device = "/dev/net/tun"
	fd, err := unix.Open(device, unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", device, err)
	}
	req, err := unix.NewIfreq(name)
	if err == nil {
		req.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
		if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.TUNSETIFF, uintptr(unsafe.Pointer(req))); errno != 0 {
			err = errno
		}
	}
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("the TUN device %s: %w", name, err)
	}
	return os.NewFile(uintptr(fd), device), nil
}
