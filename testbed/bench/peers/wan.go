package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/filchsched/filch/testbed/wan"
	"github.com/filchsched/filch/testbed/wan/line"
)

// A link is two network namespaces with a line between them that takes its time. It needs root.
type link struct {
	spaces, addrs [2]string
	cable         *wan.Cable
}

// newLink makes a link with a delay for each way.
func newLink(delay time.Duration) (l *link, err error) {
	pid := os.Getpid()
	l = &link{spaces: [2]string{fmt.Sprintf("bench%da", pid), fmt.Sprintf("bench%db", pid)}, addrs: [2]string{"10.98.0.1", "10.98.0.2"}}
	defer func() {
		if err != nil {
			l.close()
		}
	}()
	var ends [2]wan.End
	for i, space := range l.spaces {
		ends[i] = wan.End{Space: space, Device: fmt.Sprintf("bt%d%c", pid, 'a'+i), Address: l.addrs[i] + "/24"}
		for _, line := range []string{"ip netns add " + space, "ip -n " + space + " link set lo up"} {
			if err := sh(line); err != nil {
				return nil, err
			}
		}
	}
	l.cable, err = wan.Lay(ends[0], ends[1], line.Shape{Delay: delay}, 1)
	return l, err
}

// close removes the cable and the namespaces.
func (l *link) close() {
	if l.cable != nil {
		l.cable.Close()
	}
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
