package proc

import (
	"errors"
	"io"

	"golang.org/x/sys/unix"
)

// errFilchGone says that the other end of the supervisor's line is closed.
var errFilchGone = errors.New("proc: filch is gone")

// An inbox takes requests off the supervisor's socket. Each spawner has its own;
// the kernel hands each packet to one of them.
type inbox struct {
	socket int
	buf    []byte
}

// next returns a request and the descriptors that came with it, which are the
// caller's to close. A packet that is no request is dropped: whoever sent it sees the
// end of the pipe that it passed.
func (in *inbox) next() (*request, []int, error) {
	oob := make([]byte, unix.CmsgSpace(passedMax*4))
	for {
		n, oobn, _, _, err := unix.Recvmsg(in.socket, in.buf, oob, unix.MSG_CMSG_CLOEXEC)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return nil, nil, err
		case n == 0:
			return nil, nil, errFilchGone
		}
		fds := passedIn(oob[:oobn])
		q, err := readRequest(in.buf[:n], fds)
		if err == nil {
			return q, fds, nil
		}
		for _, fd := range fds {
			unix.Close(fd)
		}
	}
}

func passedIn(oob []byte) (fds []int) {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return nil
	}
	for i := range messages {
		if some, err := unix.ParseUnixRights(&messages[i]); err == nil {
			fds = append(fds, some...)
		}
	}
	return fds
}

// readRequest decodes a packet, or the file that it stands for.
func readRequest(packet []byte, fds []int) (*request, error) {
	files := 0
	if string(packet) == oversize && len(fds) > passedFixed {
		var err error
		if packet, err = readWhole(fds[len(fds)-1]); err != nil {
			return nil, err
		}
		files = 1
	}
	q, err := parseRequest(packet)
	if err != nil || len(fds) != passedFixed+q.entering+files {
		return nil, errGarbled
	}
	return q, nil
}

// readWhole reads a file from its start.
func readWhole(fd int) ([]byte, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, err
	}
	if st.Size > requestMax {
		return nil, errGarbled
	}
	b := make([]byte, st.Size)
	for at := 0; at < len(b); {
		n, err := unix.Pread(fd, b[at:], int64(at))
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return nil, io.ErrUnexpectedEOF
		}
		at += n
	}
	return b, nil
}
