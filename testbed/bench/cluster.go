package main

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// Two nodes: what a task costs that another process may run, and how much of two nodes is used when one of them
// was given everything. Each node is a process with one worker, on this machine.

//go:embed dask/cluster.py
var daskSource string

const (
	filchPeers = "filch, two nodes"
	daskPeers  = "dask.distributed, two workers"

	// noopTasks is few for filch, whose laps are repeated; dask takes a millisecond or two for each.
	noopTasks = 2000

	// The tasks wait, so that whoever schedules has the CPU to itself.
	pinnedTasks = 400
	pinnedTakes = 10 * time.Millisecond
	// maxInFlight bounds filch's calls at one time.
	maxInFlight = 1024
)

// noopContest: tasks that do nothing, for whichever node has room.
func noopContest(set settings) contest {
	n := min(noopTasks, set.Tasks)
	return contest{
		key: "noop", title: fmt.Sprintf("%d tasks that do nothing, in a cluster of two nodes of one worker", n), unit: "task", operations: n,
		contenders: []contender{
			set.peers(fmt.Sprintf("separate calls of a function, 16 bytes in, 8 out, at most %d at once; the submitter is one of the nodes", maxInFlight),
				func(n int) peersRequest { return peersRequest{Do: "calls", N: n, InFlight: maxInFlight} }, n),
			set.dask("client.map(noop, range(n)), client.gather; LocalCluster(n_workers=2, threads_per_worker=1)", func(n int) string { return fmt.Sprintln("noop", n) }, n),
		},
	}
}

// pinnedContest: everything is given to one of two nodes, and the other steals.
func pinnedContest(set settings) contest {
	n := min(pinnedTasks, set.Tasks)
	return contest{
		key: "pinned", title: fmt.Sprintf("%d tasks that wait for %v, given to one of two nodes of one worker, for the other to steal; %v is ideal", n, pinnedTakes, time.Duration(n)*pinnedTakes/2),
		unit: "task", operations: n,
		contenders: []contender{
			set.peers("separate calls, submitted at one of the nodes",
				func(n int) peersRequest { return peersRequest{Do: "sleep", N: n, Each: pinnedTakes} }, n),
			set.dask("client.map(wait, range(n), workers=[one], allow_other_workers=True), client.gather",
				func(n int) string { return fmt.Sprintln("pinned", n, pinnedTakes.Seconds()) }, n),
			idealPinned(n),
		},
	}
}

// idealPinned is arithmetic, to see how far everybody is from it.
func idealPinned(n int) contender {
	return contender{name: "ideal: half of the tasks, one after another", aside: true, bound: true, config: "arithmetic", elsewhere: true, run: func(_ context.Context, c *clock) error {
		c.record(time.Duration(n) * pinnedTakes / 2)
		return nil
	}}
}

// peersRequest and peersReply are what nodes of the program peers read and write.
type peersRequest struct {
	Do       string
	N        int
	InFlight int
	Each     time.Duration
}

type peersReply struct {
	Error string
	Took  time.Duration
	Text  string
}

// peers is a contender of two nodes that are processes, in which one of them is asked.
func (set settings) peers(config string, ask func(n int) peersRequest, n int) contender {
	program, missing := set.Tools.find(toolPeers)
	return contender{name: filchPeers, filch: true, missing: missing, config: config, elsewhere: true, run: func(ctx context.Context, c *clock) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		a, err := startPeer(ctx, program, "a", "")
		if err != nil {
			return err
		}
		defer a.end()
		b, err := startPeer(ctx, program, "b", a.join)
		if err != nil {
			return err
		}
		defer b.end()
		for _, p := range []*peer{a, b} {
			if err := p.meets(); err != nil {
				return err
			}
		}
		return laps(c, n, func(n int) (time.Duration, error) {
			r, err := a.ask(ask(n))
			return r.Took, err
		})
	}}
}

// laps has somebody who is there already do its part: a little at first, unmeasured, for connections and caches.
func laps(c *clock, n int, do func(n int) (time.Duration, error)) error {
	if c.verifying {
		n = max(1, n/c.share)
	} else if _, err := do(max(1, n/warmupShare)); err != nil {
		return err
	}
	for c.more() {
		took, err := do(n)
		if err != nil {
			return err
		}
		c.record(took)
	}
	return nil
}

// A peer is a node of the program peers.
type peer struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *json.Decoder
	join string
}

func startPeer(ctx context.Context, program, name, join string) (*peer, error) {
	cmd := exec.CommandContext(ctx, program, "child", name, join, "127.0.0.1")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("a node: %w", err)
	}
	p := &peer{cmd: cmd, in: in, out: json.NewDecoder(bufio.NewReader(out))}
	var r peersReply
	if err := p.out.Decode(&r); err != nil {
		p.end()
		return nil, fmt.Errorf("a node did not start: %w", err)
	}
	p.join = r.Text
	return p, nil
}

func (p *peer) ask(q peersRequest) (r peersReply, err error) {
	if err := json.NewEncoder(p.in).Encode(q); err != nil {
		return r, fmt.Errorf("a node: %w", err)
	}
	if err := p.out.Decode(&r); err != nil {
		return r, fmt.Errorf("a node: %w", err)
	}
	if r.Error != "" {
		return r, wrong("%s: %s", q.Do, r.Error)
	}
	return r, nil
}

// meets waits until a node knows both.
func (p *peer) meets() error {
	for late := time.Now().Add(30 * time.Second); time.Now().Before(late); time.Sleep(50 * time.Millisecond) {
		r, err := p.ask(peersRequest{Do: "members"})
		if err != nil || len(strings.Fields(r.Text)) == 2 {
			return err
		}
	}
	return fmt.Errorf("the two nodes do not meet")
}

// end ends a node's input, and so the node; one that hangs ends with the context.
func (p *peer) end() {
	p.in.Close()
	p.cmd.Wait()
}

// dask is a contender of a cluster of dask.distributed.
func (set settings) dask(config string, ask func(n int) string, n int) contender {
	python, missing := set.Tools.find(toolDask)
	return contender{name: daskPeers, missing: missing, config: config, elsewhere: true, run: func(ctx context.Context, c *clock) (err error) {
		dir, err := os.MkdirTemp("", "filch-dask-") // it leaves files of workers in its directory; and spawns read the program again
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		if err := os.WriteFile(dir+"/cluster.py", []byte(daskSource), 0o600); err != nil {
			return err
		}
		cmd := exec.CommandContext(ctx, python, "cluster.py")
		cmd.Dir = dir
		var said strings.Builder
		cmd.Stderr = &said
		in, err := cmd.StdinPipe()
		if err != nil {
			return err
		}
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			return fmt.Errorf("dask: %w", err)
		}
		defer func() {
			in.Close()
			if e := cmd.Wait(); err != nil && e != nil {
				err = fmt.Errorf("%w (%v: %s)", err, e, firstLine(said.String()))
			}
		}()
		lines := bufio.NewReader(out)
		if line, err := lines.ReadString('\n'); line != "ready\n" {
			return fmt.Errorf("dask said %q, not ready: %w", line, err)
		}
		return laps(c, n, func(n int) (took time.Duration, err error) {
			if _, err := io.WriteString(in, ask(n)); err != nil {
				return 0, fmt.Errorf("dask: %w", err)
			}
			line, err := lines.ReadString('\n')
			if err != nil {
				return 0, fmt.Errorf("dask: %w", err)
			}
			if _, err := fmt.Sscanf(line, "lap %d", &took); err != nil {
				return 0, wrong("dask says %q", line)
			}
			return took, nil
		})
	}}
}
