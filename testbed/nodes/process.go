//go:build linux

package nodes

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/filchsched/filch/node/control"
	"github.com/filchsched/filch/testbed/spaces"
)

// A Process is a node in a namespace of its own (package spaces). Its data directory outlives it.
type Process struct {
	Name, Space, Addr string
	Args              []string // to start it: the program and what comes before its name
	Said              spaces.Log

	cmd *exec.Cmd
	in  io.WriteCloser

	mu      sync.Mutex
	asked   int
	waiting map[int]chan Reply // closed when the process ends; guarded by mu
}

// Add makes a namespace, n0 and so on, for a node that is started by args.
func Add(t *testing.T, i int, args ...string) *Process {
	t.Helper()
	space, addr := fmt.Sprint("s", i), fmt.Sprint("10.99.0.", 30+i)
	spaces.Add(t, space, addr)
	return At(t, fmt.Sprint("n", i), space, addr, args...)
}

// At is a node of a name in a namespace that is there, at its address, to be started by args.
func At(t *testing.T, name, space, addr string, args ...string) *Process {
	t.Helper()
	p := &Process{Name: name, Space: space, Addr: addr, Args: args}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%s said:\n%s", p.Name, &p.Said)
		}
	})
	return p
}

// Dir is its data directory.
func (p *Process) Dir() string { return "/run/filch/" + p.Name }

// Socket is its control socket.
func (p *Process) Socket() string { return filepath.Join(p.Dir(), control.SocketName) }

// Client asks it.
func (p *Process) Client() *control.Client { return control.NewClient(p.Socket()) }

// In is a command in the node's namespace.
func (p *Process) In(args ...string) *exec.Cmd {
	return exec.Command("ip", append([]string{"netns", "exec", p.Space}, args...)...)
}

// Start runs the node, and returns its join string.
func (p *Process) Start(t *testing.T, join string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(p.Dir()), 0o700); err != nil {
		t.Fatal(err)
	}
	p.cmd = p.In(append(p.Args, "--name", p.Name, "--data-dir", p.Dir(), "--listen", p.Addr+":7447")...)
	p.cmd.Env = append(os.Environ(), "FILCH_JOIN="+join)
	p.cmd.Stderr = &p.Said
	in, err := p.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.in = in
	out, err := p.cmd.StdoutPipe()
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		if word, rest, _ := strings.Cut(lines.Text(), " "); word == "join" {
			p.mu.Lock()
			waiting := make(map[int]chan Reply)
			p.waiting = waiting
			p.mu.Unlock()
			go p.listen(lines, waiting)
			return strings.TrimSpace(rest)
		}
	}
	t.Fatalf("%s did not start: %s", p.Name, &p.Said)
	return ""
}

// listen hands replies out until the process has ended.
func (p *Process) listen(lines *bufio.Scanner, waiting map[int]chan Reply) {
	for lines.Scan() {
		var r Reply
		if json.Unmarshal(lines.Bytes(), &r) != nil {
			continue // filch up goes on about itself
		}
		p.mu.Lock()
		if c := waiting[r.ID]; c != nil {
			c <- r
			delete(waiting, r.ID)
		}
		p.mu.Unlock()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range waiting {
		close(c)
	}
	if p.waiting = nil; lines.Err() != nil {
		fmt.Fprintln(&p.Said, "what it wrote cannot be read:", lines.Err())
	}
}

// Ask has the node submit calls. The reply comes once they have returned; the channel closes without
// one if the node ends before.
func (p *Process) Ask(t *testing.T, q Request) <-chan Reply {
	t.Helper()
	to := make(chan Reply, 1)
	p.mu.Lock()
	p.asked++
	q.ID = p.asked
	if p.waiting == nil {
		t.Fatalf("%s has ended: %s", p.Name, &p.Said)
	}
	p.waiting[q.ID] = to
	p.mu.Unlock()
	b, err := json.Marshal(q)
	if err == nil {
		_, err = p.in.Write(append(b, '\n'))
	}
	if err != nil {
		t.Fatalf("%s: %v", p.Name, err)
	}
	return to
}

// Signal sends the node a signal.
func (p *Process) Signal(t *testing.T, sig syscall.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		t.Fatalf("%s: %v", p.Name, err)
	}
}

// Below names the processes below the node.
func (p *Process) Below() []string { return descendants(p.cmd.Process.Pid) }

// Kill ends the node as a power failure would, and returns the processes below it as they were just before.
func (p *Process) Kill() (below []string) {
	below = p.Below()
	p.cmd.Process.Kill()
	p.cmd.Wait()
	return below
}

// Cut drops what comes from another node; Mend takes that back.
func (p *Process) Cut(t *testing.T, from *Process) {
	spaces.In(t, p.Space, "iptables -A INPUT -s "+from.Addr+" -j DROP")
}

// Mend is the end of Cut.
func (p *Process) Mend(t *testing.T, from *Process) {
	spaces.In(t, p.Space, "iptables -D INPUT -s "+from.Addr+" -j DROP")
}

// Total is one of the totals of "filch steals"; an error where the node does not answer.
func (p *Process) Total(t *testing.T, name string) (uint64, error) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	s, err := p.Client().Steals(ctx)
	return s.Totals[name], err
}

// Metrics are the node's metrics of some names, each the sum over its labels.
func (p *Process) Metrics(t *testing.T, names ...string) (map[string]float64, error) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	var b bytes.Buffer
	if err := p.Client().Metrics(ctx, &b); err != nil {
		return nil, err
	}
	sums := make(map[string]float64)
	for line := range strings.Lines(b.String()) {
		for _, name := range names {
			if rest, ok := strings.CutPrefix(line, "filch_"+name); ok && (rest[0] == ' ' || rest[0] == '{') {
				v, err := strconv.ParseFloat(strings.TrimSpace(rest[strings.LastIndexByte(rest, ' '):]), 64)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", line, err)
				}
				sums[name] += v
			}
		}
	}
	return sums, nil
}

// Assemble waits until all of these see all of them alive, at the levels that are wanted if level is not nil.
func Assemble(t *testing.T, all []*Process, level func(a, b *Process) string) {
	t.Helper()
	late := time.Now().Add(time.Minute)
	for {
		missing := ""
		for _, p := range all {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			list, err := p.Client().Members(ctx)
			cancel()
			if err != nil {
				missing = err.Error()
			}
			sees := make(map[string]control.Member)
			for _, m := range list {
				if m.State == control.StateAlive && m.Cores > 0 {
					sees[m.Name] = m
				}
			}
			for _, o := range all {
				if m, ok := sees[o.Name]; !ok || level != nil && p != o && m.Level != level(p, o) {
					missing = fmt.Sprintf("%s sees %s as %q at level %q", p.Name, o.Name, m.State, m.Level)
				}
			}
		}
		if missing == "" {
			return
		}
		if time.Now().After(late) {
			t.Fatal("the nodes do not find each other: ", missing)
		}
		time.Sleep(100 * time.Millisecond) // nothing tells when several processes agree
	}
}
