//go:build linux

package wan

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/filchsched/filch/testbed/wan/line"
)

// An End is where a cable goes into a network namespace.
type End struct {
	Space   string // the namespace's name
	Device  string // what the device is called there; unique in the namespace of who lays the cable, too
	Address string // of the device, with the length of the prefix: 10.98.0.1/30
}

// A Cable is two TUN devices, in a namespace each, whose packets this process passes on in both
// directions as a line would.
type Cable struct {
	ways [2]*way
	wg   sync.WaitGroup
}

// Lay puts a cable between two namespaces, of the same shape in both directions. What is lost follows from the seed and what
// is sent. It needs root. The caller closes the cable.
func Lay(a, b End, shape line.Shape, seed uint64) (*Cable, error) {
	if err := shape.Check(); err != nil {
		return nil, err
	}
	var files [2]*os.File
	for i, e := range []End{a, b} {
		f, err := plug(e)
		if err != nil {
			if i > 0 {
				files[0].Close()
			}
			return nil, err
		}
		files[i] = f
	}
	c := new(Cable)
	begun := time.Now()
	for i := range c.ways {
		w := &way{in: files[i], out: files[1-i], begun: begun, wake: make(chan struct{}, 1), done: make(chan struct{})}
		w.line = line.New(shape, rand.New(rand.NewPCG(seed, uint64(i))))
		c.ways[i] = w
		c.wg.Go(w.read)
		c.wg.Go(w.write)
	}
	return c, nil
}

// plug makes a device in its namespace.
func plug(e End) (*os.File, error) {
	f, err := openTUN(e.Device)
	if err != nil {
		return nil, err
	}
	for _, command := range []string{
		"ip link set " + e.Device + " netns " + e.Space,
		"ip -n " + e.Space + " addr add " + e.Address + " dev " + e.Device,
		"ip -n " + e.Space + " link set " + e.Device + " up mtu " + fmt.Sprint(mtu),
	} {
		words := strings.Fields(command)
		if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
			f.Close()
			return nil, fmt.Errorf("%s: %w: %s", command, err, out)
		}
	}
	return f, nil
}

// Close takes the cable away, and the devices with it. What is under way is lost.
func (c *Cable) Close() error {
	err := errors.Join(c.ways[0].in.Close(), c.ways[1].in.Close())
	for _, w := range c.ways {
		close(w.done)
	}
	c.wg.Wait()
	return err
}

// Counts tells what became of the packets from the first end to the second, and of those that
// came back.
func (c *Cable) Counts() (there, back line.Counts) {
	return c.ways[0].counts(), c.ways[1].counts()
}

// A way is one direction of a cable.
type way struct {
	in, out *os.File
	begun   time.Time
	wake    chan struct{} // something is under way where nothing was
	done    chan struct{} // closed at the end

	mu   sync.Mutex
	line *line.Line // guarded by mu
}

func (w *way) now() time.Duration { return time.Since(w.begun) }

func (w *way) counts() line.Counts {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.line.Counts()
}

// read puts on the line what comes out of a device.
func (w *way) read() {
	buf := make([]byte, 64<<10)
	for {
		n, err := w.in.Read(buf)
		if err != nil {
			return // closed, or its namespace has gone
		}
		packet := append([]byte(nil), buf[:n]...)
		w.mu.Lock()
		w.line.Put(w.now(), packet)
		w.mu.Unlock()
		select {
		case w.wake <- struct{}{}:
		default:
		}
	}
}

// write hands to the other device what has arrived.
func (w *way) write() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-w.done:
			return
		case <-timer.C:
		case <-w.wake:
		}
		for {
			w.mu.Lock()
			packet := w.line.Take(w.now())
			next, more := w.line.Next()
			w.mu.Unlock()
			if packet == nil {
				if more {
					timer.Reset(next - w.now())
				}
				break
			}
			w.out.Write(packet) // a device that is down or full drops, as a line does
		}
	}
}
